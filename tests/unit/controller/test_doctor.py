"""``obsorb doctor``: every finding is judged from plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.health.finding import Verdict
from controller.health.installed import (
    examine_dependencies,
    examine_installed,
    examine_owners,
    examine_python,
)
from controller.health.place import examine_space, judge_clock, judge_space
from controller.health.services import judge_answer, judge_identity
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.naming import Binding
from idl_like_interfaces.object import Identity
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, obsorb, ok

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_this_environment_is_good() -> None:
    """The tests run in it."""
    assert {each.verdict for each in examine_installed()} == {Verdict.GOOD}


def test_old_python_is_bad() -> None:
    """With cause and remedy."""
    finding = examine_python((3, 10, 4))
    assert finding.verdict is Verdict.BAD
    assert finding.cause
    assert finding.remedy


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("5.17", Verdict.GOOD), ("5.14.9", Verdict.BAD), ("6.0", Verdict.BAD), (None, Verdict.BAD)],
)
def test_dependency_must_fit(version: str | None, verdict: Verdict) -> None:
    """Missing, too old or too new is bad."""
    (finding,) = examine_dependencies(["pyro5<6,>=5.15"], lambda _: version)
    assert finding.verdict is verdict
    assert bool(finding.remedy) == (verdict is Verdict.BAD)


def test_extras_are_not_needed() -> None:
    """What only an extra brings is passed over."""
    assert examine_dependencies(['redis>=5; extra == "bench"'], lambda _: None) == []


def test_foreign_owner_of_a_package_name_is_bad() -> None:
    """Our names are general; another distribution may have one of them."""
    findings = {each.subject: each for each in examine_owners({"objects": ["obsorb", "other"]})}
    assert findings["package objects"].verdict is Verdict.BAD
    assert "other" in findings["package objects"].found
    assert findings["package controller"].verdict is Verdict.GOOD


def test_full_disk_is_bad(tmp_path: Path) -> None:
    """Less than a twentieth free."""
    assert judge_space("x", 1000, 49).verdict is Verdict.BAD
    assert judge_space("x", 1000, 50).verdict is Verdict.GOOD
    assert examine_space(tmp_path / "missing").verdict is Verdict.BAD


def test_data_root_that_is_no_folder_is_bad(tmp_path: Path) -> None:
    """Its disk may have space, but nothing can be written into it."""
    (tmp_path / "file").touch()
    found = examine_space(tmp_path / "file")
    assert (found.verdict, found.found) == (Verdict.BAD, "cannot be written")
    assert "data_root" in found.remedy


def test_unset_clock_is_bad() -> None:
    """In the past, or too coarse for milliseconds."""
    assert judge_clock(NOON, 1e-9).verdict is Verdict.GOOD
    assert judge_clock(datetime(1970, 1, 1, tzinfo=UTC), 1e-9).verdict is Verdict.BAD
    assert judge_clock(NOON, 0.016).verdict is Verdict.BAD


def test_other_incarnation_under_a_name_is_bad() -> None:
    """What answers must be what was bound."""
    binding = Binding(name="obs/x", uri="PYRO:obs/x~1@localhost:5", bound_at=NOON)
    same = Identity(object_id="obs/x~1", incarnation="1", host="here", pid=1)
    other = Identity(object_id="obs/x~2", incarnation="2", host="here", pid=2)
    assert judge_identity(binding, same).verdict is Verdict.GOOD
    assert judge_identity(binding, other).verdict is Verdict.BAD


def test_name_without_a_lease_is_to_be_unbound_by_hand() -> None:
    """Nobody takes it away when its object has died."""
    away = Transient("nobody listens")
    leased = Binding(name="obs/x", uri="PYRO:x@localhost:5", bound_at=NOON, lease_id="l")
    given = Binding(name="obs/x", uri="PYRO:x@localhost:5", bound_at=NOON)
    assert "when its lease ends" in judge_answer(leased, away).cause
    assert "obsorb names unbind obs/x" in judge_answer(given, away).remedy


def test_healthy_installation_is_all_green(small: SmallInstallation) -> None:
    """Exit code 0, a line for each name."""
    text = ok("doctor")
    assert "FAIL" not in text
    for name in ("obs/ocm/daq: alive", "event channel: ", "log service: "):
        assert name in text


def test_dead_object_is_red(small: SmallInstallation) -> None:
    """Exit code 1, with cause and remedy; the others stay green."""
    small.adapter.deactivate("obs/ocm/std")
    result = obsorb("doctor", "--json")
    assert result.exit_code == 1
    import json

    bad = [each for each in json.loads(result.stdout) if each["verdict"] == "bad"]
    assert [each["subject"] for each in bad] == ["obs/ocm/std"]
    assert bad[0]["cause"]
    assert bad[0]["remedy"]


def test_missing_services_are_red(small: SmallInstallation) -> None:
    """An installation below another root has no channel here."""
    result = obsorb("doctor", "--root", "north")
    assert result.exit_code == 1
    assert "FAIL event channel: " in result.stdout
    assert "FAIL log service: " in result.stdout


def test_absent_name_server_is_red() -> None:
    """And nothing else is asked."""
    result = obsorb("--names", "localhost:1", "doctor")
    assert result.exit_code == 1
    assert "FAIL name server localhost:1" in result.stdout


def test_offline_examines_only_what_is_here(tmp_path: Path) -> None:
    """No name server is needed; a data root may be given."""
    findings = document(
        "--names", "localhost:1", "doctor", "--offline", "--data-root", str(tmp_path)
    )
    assert any(each["subject"].startswith("data root") for each in findings)
