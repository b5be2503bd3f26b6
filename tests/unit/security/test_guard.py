"""The guard: refusals that say what is missing, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.bucket import BURST, MOST_PER_S, Bucket
from idl_like_interfaces.daqif import OcmDaqControl
from idl_like_interfaces.declare import Operation, Role, interface_of
from idl_like_interfaces.errors import NoPermission, PersistStore
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.mapping.context import Caller
from idl_like_interfaces.mapping.hosting.access import Guard
from idl_like_interfaces.security.audit_check import records, verify
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.guard import AccessGuard
from idl_like_interfaces.security.roles import Policy, Rule
from tests.unit.security.test_audit import largest_file

DAQ = interface_of(OcmDaqControl).operations
START, STATUS = DAQ["start_daq"], DAQ["get_status"]
PUBLISH = interface_of(EventChannel).operations["publish"]

ALICE = Caller(address="192.0.2.7", identity="alice", stated=("urn:obsorb:role:observer",))
LOCAL = Caller(address="127.0.0.1")


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[AuditLog]:
    with AuditLog(tmp_path, "ocm") as log:
        yield log


def told(folder: Path) -> list[tuple[str, str, str, str]]:
    return [
        (r.what, r.caller, r.operation, r.outcome)
        for r in records(folder)
        if r.what in ("call", "denied")
    ]


def test_an_observer_looks_and_does_not_command() -> None:
    """As the declarations say."""
    guard: Guard = AccessGuard(Policy())
    guard.admit(ALICE, "obs/ocm/daq", STATUS)
    with pytest.raises(NoPermission):
        guard.admit(ALICE, "obs/ocm/daq", START)


def test_a_refusal_says_who_has_what_and_needs_what() -> None:
    """And how to get it."""
    with pytest.raises(NoPermission) as caught:
        AccessGuard(Policy()).admit(ALICE, "obs/ocm/daq", START)
    error = caught.value
    assert error.message == (
        "start_daq of obs/ocm/daq takes the role operator; alice has the role observer"
    )
    assert error.needed == "operator"
    assert '"alice" = "operator" under [security.roles]' in error.remedy
    assert "obsorb certs issue alice --role operator" in error.remedy


@pytest.mark.parametrize(
    ("caller", "policy", "remedy"),
    [
        (LOCAL, Policy(local=Role.OBSERVER), 'local_role = "operator"'),
        (Caller(address="192.0.2.7"), Policy(), 'network_role = "operator"'),
        (Caller(address="192.0.2.7", identity="x"), Policy(), '"x" = "operator"'),
    ],
)
def test_a_remedy_fits_the_caller(caller: Caller, policy: Policy, remedy: str) -> None:
    """Who has no certificate is told of the setting for such callers."""
    with pytest.raises(NoPermission) as caught:
        AccessGuard(policy).admit(caller, "obs/ocm/daq", START)
    assert remedy in caught.value.remedy


def test_a_certificate_without_a_name_gives_no_right() -> None:
    """It must not pass for a local caller, whose role is admin by default."""
    guard = AccessGuard(Policy(), with_tls=True)
    nameless = Caller(address="127.0.0.1", stated=("urn:obsorb:role:admin",))
    with pytest.raises(NoPermission, match="a certificate without a name has no role") as caught:
        guard.admit(nameless, "obs/ocm/daq", STATUS)
    assert "common name" in caught.value.remedy


def test_rules_change_the_least_role() -> None:
    """In both directions; also for very long names, which are not remembered."""
    guard = AccessGuard(
        Policy(
            rules=[
                Rule(object="obs/sim/**", operation="*", role=Role.OBSERVER),
                Rule(object="**", operation="get_status", role=Role.ADMIN),
            ]
        )
    )
    guard.admit(ALICE, "obs/sim/daq", START)
    guard.admit(ALICE, "obs/sim/" + "x" * 500, START)
    with pytest.raises(NoPermission, match="takes the role admin"):
        guard.admit(ALICE, "obs/ocm/daq", STATUS)


def test_commands_and_denials_are_recorded_and_reading_is_not(
    audit: AuditLog, tmp_path: Path
) -> None:
    """With caller, operation and outcome; the routine of components is counted."""
    guard = AccessGuard(Policy(), audit)
    guard.note(LOCAL, "obs/ocm/daq", STATUS, "ok")
    guard.note(LOCAL, "obs/ocm/daq", START, "ok")
    guard.note(ALICE, "obs/ocm/daq", START, NoPermission.repository_id)
    guard.note(LOCAL, "obs/events", PUBLISH, "ok")
    audit.close()
    assert told(tmp_path) == [
        ("call", "local", "start_daq", "ok"),
        ("denied", "alice", "start_daq", NoPermission.repository_id),
    ]
    assert next(r for r in records(tmp_path) if r.what == "denied").role == "observer"
    assert [r.counted for r in records(tmp_path) if r.counted] == [{"publish": 1}]


def test_one_who_insists_does_not_fill_the_disk(audit: AuditLog, tmp_path: Path) -> None:
    """Beyond a rate denials are counted only."""
    guard = AccessGuard(Policy(), audit)
    for _ in range(5000):
        guard.note(ALICE, "obs/ocm/daq" * 1000, START, NoPermission.repository_id)
    audit.close()
    assert len(told(tmp_path)) < 1000
    assert len(told(tmp_path)) + sum(r.counted.get("denied", 0) for r in records(tmp_path)) == 5000
    assert (tmp_path / "ocm.jsonl").stat().st_size < 1000 * 1000


def test_odd_names_are_recorded_all_the_same(audit: AuditLog, tmp_path: Path) -> None:
    """A stranger must not be able to make recording fail, nor to write a line of his own."""
    guard = AccessGuard(Policy(), audit)
    odd = 'a\ud800\n\x00"},{"seq":1'
    guard.note(Caller(identity=odd), odd, START, NoPermission.repository_id)
    audit.close()
    (found,) = verify(tmp_path)
    assert (found.records, found.is_intact) == (3, True)
    assert told(tmp_path)[0][1] == odd.replace("\ud800", "?")


def test_denials_are_worth_lines_again_after_a_while() -> None:
    """The bucket refills with time, up to its size."""
    now = [0.0]
    denials = Bucket(lambda: now[0])
    assert sum(denials.take() for _ in range(1000)) == BURST
    now[0] += 1
    assert sum(denials.take() for _ in range(1000)) == MOST_PER_S
    now[0] += 10**6
    assert sum(denials.take() for _ in range(1000)) == BURST


@pytest.mark.parametrize("operation", [START, PUBLISH, STATUS])
def test_by_default_a_full_disk_refuses_nothing(
    audit: AuditLog, tmp_path: Path, operation: Operation
) -> None:
    """An observation is worth more than its record."""
    guard = AccessGuard(Policy(), audit)
    with largest_file(10):
        guard.note(LOCAL, "o", START, "ok")
        guard.admit(LOCAL, "o", operation)


def test_where_the_audit_is_required_commands_are_refused(audit: AuditLog, tmp_path: Path) -> None:
    """Until it can be written again; looking and the routine of components go on."""
    guard = AccessGuard(Policy(), audit, is_required=True)
    with largest_file(10):
        guard.note(LOCAL, "o", START, "ok")
        guard.admit(LOCAL, "o", STATUS)
        guard.admit(LOCAL, "o", PUBLISH)
        with pytest.raises(PersistStore, match="could not be recorded") as caught:
            guard.admit(LOCAL, "o", START)
        assert "free space" in caught.value.remedy
    guard.admit(LOCAL, "o", START)
    assert audit.is_writable
