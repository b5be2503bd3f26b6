"""``obsorb daq`` and ``obsorb std`` against an OCM that remembers its calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.cli import daq
from controller.cli.daq import AWAIT_MARGIN_S, COMMAND_DEADLINE_S
from controller.cli.samples import daq_line, std_line
from idl_like_interfaces.daqif import STATUS_TOPIC, DaqState, DaqSubstate
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.stdif import LogInfo, StdStatus
from tests.support.small import SmallInstallation, alert, status
from tests.unit.controller.running import document, obsorb, ok, refused

STATUS_MEMBERS = {"error", "fileId", "id", "message", "result", "state", "substate", "timestamp"}


def test_start_passes_sources_and_options(small: SmallInstallation) -> None:
    """As they were given."""
    reply = ok(
        "daq", "start", "a@obs/a b@obs/b", "c@obs/c",
        "--id", "d7", "--file-prefix", "P_", "--properties", '{"awaitInterval": 3}',
    )  # fmt: skip
    assert small.ocm.calls == [
        ("start_daq", "d7", "P_", "a@obs/a b@obs/b", "c@obs/c", '{"awaitInterval": 3}')
    ]
    assert reply == "id=d7, error=false\n"


@pytest.mark.spec("ESO-163")
def test_startv2_takes_text_file_and_stdin(small: SmallInstallation, tmp_path: Path) -> None:
    """The text itself, @FILE and @-."""
    file = tmp_path / "spec.json"
    file.write_text('{"sources": []}')
    ok("daq", "startv2", '{"sources": [1]}')
    ok("daq", "startv2", f"@{file}")
    ok("daq", "startv2", "@-", input='{"sources": [2]}')
    assert [call[1] for call in small.ocm.calls] == [
        '{"sources": [1]}', '{"sources": []}', '{"sources": [2]}',
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_unreadable_file_is_refused(small: SmallInstallation, tmp_path: Path, name: str) -> None:
    """Before the server is asked."""
    error = refused("daq", "startv2", f"@{tmp_path / name}")
    assert str(tmp_path) in error
    assert "remedy: " in error
    assert small.ocm.calls == []


def test_file_that_is_no_text_is_refused(small: SmallInstallation, tmp_path: Path) -> None:
    """At the byte where it is no UTF-8, with what to do about it."""
    (tmp_path / "x").write_bytes(b"{\xff\xfe\xff")
    error = refused("daq", "startv2", f"@{tmp_path / 'x'}")
    assert "is not UTF-8 at byte 1" in error
    assert "remedy: save it as UTF-8" in error


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("stop", "stop_daq"),
        ("forcestop", "force_stop_daq"),
        ("abort", "abort_daq"),
        ("forceabort", "force_abort_daq"),
        ("retry", "retry_merge_daq"),
    ],
)
def test_command_calls_its_operation(
    small: SmallInstallation, command: str, operation: str
) -> None:
    """With the id."""
    ok("daq", command, "d1")
    assert small.ocm.calls == [(operation, "d1")]


def test_updatekeywords_passes_the_document(small: SmallInstallation) -> None:
    """The server is the one that reads it."""
    ok("daq", "updatekeywords", "d1", "[]")
    assert small.ocm.calls == [("update_keywords", "d1", "[]")]


def test_refusal_is_explained(small: SmallInstallation) -> None:
    """Message, cause and remedy on stderr, exit code 1, no traceback."""
    assert refused("daq", "stop", "nobody").splitlines() == [
        "error: there is no acquisition 'nobody'", "cause: mistyped", "remedy: look again",
    ]  # fmt: skip


@pytest.mark.spec("ESO-162")
def test_json_has_the_documented_members(small: SmallInstallation) -> None:
    """Reply, status, list and await."""
    assert document("daq", "stop", "d1") == {"id": "d1", "error": False}
    found = document("daq", "getstatus", "d1")
    assert set(found) >= STATUS_MEMBERS
    assert found["state"] == "StateAcquiring"
    assert isinstance(found["timestamp"], float)
    listed = document("daq", "getactivelist")
    assert isinstance(listed, list)
    assert set(listed[0]) >= STATUS_MEMBERS
    awaited = document("daq", "awaitstate", "d1", "StateAcquiring", "Acquiring", "1")
    assert set(awaited) == {"status", "timeout"}
    assert awaited["timeout"] is False
    assert set(awaited["status"]) >= STATUS_MEMBERS


def test_getstatus_shows_alerts_with_remedy(small: SmallInstallation) -> None:
    """What an operator needs at night."""
    small.ocm.status = status(error=True, alerts=[alert("no space left")])
    text = ok("daq", "getstatus", "d1")
    assert "alert:    Error merge_failed: no space left" in text
    assert "remedy: make room" in text


@pytest.mark.spec("ESO-165")
def test_awaitstate_extends_its_own_deadline_and_says_so(small: SmallInstallation) -> None:
    """A wait longer than any command's deadline: the request may take longer still."""
    wait_s = COMMAND_DEADLINE_S * 2
    result = obsorb("daq", "awaitstate", "d1", "StateAcquiring", "Acquiring", str(wait_s))
    assert result.exit_code == 0
    assert f"may take {wait_s + AWAIT_MARGIN_S:g} s" in result.stderr
    assert small.ocm.calls == [
        ("await_daq_state", "d1", DaqState.ACQUIRING, DaqSubstate.ACQUIRING, wait_s)
    ]


@pytest.mark.spec("ESO-165")
def test_awaitstate_has_the_time_that_it_waits(
    small: SmallInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that comes within the wait comes in time, however short the margin is."""
    monkeypatch.setattr(daq, "AWAIT_MARGIN_S", 0.3)
    small.ocm.await_takes_s = 0.6
    ok("daq", "awaitstate", "d1", "StateAcquiring", "Acquiring", "60")


def test_awaitstate_that_times_out_fails(small: SmallInstallation) -> None:
    """The status is printed all the same."""
    small.ocm.times_out = True
    result = obsorb("daq", "awaitstate", "d1", "StateCompleted", "Completed", "0.1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["timeout"] is True
    assert "did not enter StateCompleted/Completed" in result.stderr


def test_awaitstate_refuses_an_unknown_state(small: SmallInstallation) -> None:
    """A usage error that lists what there is."""
    error = refused("daq", "awaitstate", "d1", "Nowhere", "Completed", "1", code=2)
    assert "StateCompleted" in error
    for timeout in ("soon", "nan", "inf"):
        refused("daq", "awaitstate", "d1", "StateCompleted", "Completed", timeout, code=2)


def test_ocm_option_chooses_another_server(small: SmallInstallation) -> None:
    """By its context."""
    assert "obs/other/daq" in refused("daq", "getactivelist", "--ocm", "obs/other")
    assert "obs/other/std" in refused(
        "--names", small.address, "std", "--ocm", "obs/other", "getstate"
    )


def test_root_option_moves_all_names(small: SmallInstallation) -> None:
    """Also that of the OCM."""
    assert "north/ocm/daq" in refused("--root", "north", "daq", "getactivelist")


def test_status_prints_samples_of_a_command(small: SmallInstallation) -> None:
    """To stderr, in the documented forms; stdout is as without."""

    def publish() -> None:
        small.publish_status(status())
        small.publish("std/status", StdStatus(status="Operational;Active", source="obs/ocm"))

    small.ocm.on_start = publish
    result = obsorb("daq", "startv2", "{}", "--status", "--json")
    assert json.loads(result.stdout) == {"id": "made", "error": False}
    assert result.stderr.splitlines() == [
        daq_line(status()),
        "status: Operational;Active",
    ]


def test_what_is_no_sample_does_not_end_the_samples(small: SmallInstallation) -> None:
    """It is said in a line, and those after it are printed."""

    def publish() -> None:
        small.publish(STATUS_TOPIC, StdStatus(status="Operational;Active", source="stray"))
        small.publish_status(status())

    small.ocm.on_start = publish
    stray, sample = obsorb("daq", "startv2", "{}", "--status").stderr.splitlines()
    assert stray.startswith("no sample: the body of event")
    assert sample == daq_line(status())


def test_lines_of_samples_have_the_documented_form() -> None:
    """Scripts around acquisitions read them."""
    line = daq_line(status(error=True, message="[disk full]"))
    assert line == (
        "daq: id=d1, file_id=STIS.d1, state=StateAcquiring, substate=Acquiring, error=true, "
        "message=[disk full]"
    )
    assert std_line(StdStatus(status="Operational;Idle", source="x")) == "status: Operational;Idle"


@pytest.mark.parametrize("command", ["enable", "disable", "stop", "reset", "exit"])
def test_std_command_calls_its_operation(small: SmallInstallation, command: str) -> None:
    """And prints the reply."""
    assert ok("std", command) == "OK\n"
    assert small.std.calls == [command]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("getstate", "Operational;Idle"),
        ("getstatus", "Operational;Idle: nothing to do"),
        ("getversion", "1.2.3"),
    ],
)
def test_std_question_prints_the_answer(small: SmallInstallation, command: str, reply: str) -> None:
    """As text, or as a JSON string."""
    assert ok("std", command) == f"{reply}\n"
    assert document("std", command) == reply


def test_std_refusal_is_explained(small: SmallInstallation) -> None:
    """With exit code 1."""
    assert "init is not possible" in refused("std", "init")


def test_setloglevel_passes_logger_and_level(small: SmallInstallation) -> None:
    """In any case of letters; unknown levels are usage errors."""
    ok("std", "setloglevel", "daq.ocm", "debug")
    assert small.std.calls == [LogInfo(level=LogLevel.DEBUG, logger="daq.ocm")]
    refused("std", "setloglevel", "daq.ocm", "LOUD", code=2)
