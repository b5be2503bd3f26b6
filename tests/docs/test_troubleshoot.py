"""The page on troubles quotes messages that the program prints."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.cli.app import app
from controller.demo.scratch import DICTIONARY
from idl_like_interfaces.daqif import OcmDaqControl
from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import FitsKeyword, ValueKeyword
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release, use_tls
from idl_like_interfaces.recif import RecCmds, RecProperties
from idl_like_interfaces.security.authority import Authority
from idl_like_interfaces.security.credentials import Credentials
from idl_like_interfaces.security.files import write_private
from idl_like_interfaces.security.guard import AccessGuard
from idl_like_interfaces.security.roles import Policy
from nameserver.client import Names, parse_address
from objects.acquisition.component import OcmComponent, OcmSettings
from objects.acquisition.vocabulary import Vocabulary
from objects.data_source import on_bench
from objects.data_source.components import DetectorComponent, DetectorSettings
from objects.dictionaries.loading import load_dictionaries
from objects.products.component import DpmSettings
from tests.docs.driver import first_missing
from tests.docs.page import ROOT, Page
from tests.support.eventually import eventually
from tests.support.hall import Hall, HallServant
from tests.support.installation import OBSORB, TEMPLATE, write_installation
from tests.support.products import MergerControl, make_source, running, specification
from tests.support.site import FakeSite
from tests.support.tls import context_of, self_signed

_PAGE = Page.read(ROOT / "docs" / "how-to" / "troubleshoot.md")
_ROW = re.compile(r"\| (?P<ticks>`+)(?P<message>.+?)(?P=ticks) \|.*\|.*\|")
_DICTIONARY = ROOT / "controller" / "demo" / "dictionary" / DICTIONARY
_UNWRITABLE = "/sys/obsorb"
"""No user may write there, root neither."""

_DEADLINE_S = 180.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


def _messages() -> list[str]:
    rows = (_ROW.match(line) for line in _PAGE.text.splitlines())
    return [row["message"].strip() for row in rows if row]


@pytest.fixture(scope="module")
def printed(names: str, place: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Provoke everything that the page tells of, and collect what is printed."""
    folder = tmp_path_factory.mktemp("troubles")
    _bind_dead_object(names)
    said = [*_of_refused_frames(folder), _of_silent_name_server()]
    said += _of_certificates(folder)
    said += [*_of_refused_keywords(folder), _of_silent_merger(folder)]
    said += _of_processes_that_do_not_start(folder, place, names)
    said += [_run(command, names) for command in _stuck_acquisitions(folder)]
    _pause_detector(names)
    said += [_run(command, names) for command in [*_commands(), *_starts(folder)]]
    _await_alerts(names, "collecting", "releasing")
    said += [_run(command.split(), names) for command in _ENDINGS]
    _run(["names", "unbind", "obs/sources/dead"], names)  # other pages find all alive
    return [line for text in said for line in text.splitlines()]


@pytest.mark.parametrize("message", _messages())
def test_a_quoted_message_is_printed(message: str, printed: list[str]) -> None:
    """Somewhere in a line of what was provoked."""
    assert first_missing(printed, [f"...{message}..."]) == "", "\n".join(printed)


def test_no_expected_error_shows_a_traceback(printed: list[str]) -> None:
    """An operator's mistake is no bug."""
    assert [line for line in printed if "Traceback" in line] == []


def _run(command: list[str], names: str) -> str:
    result = CliRunner().invoke(app, command, env={"OBSORB_NAMES": names})
    if isinstance(result.exception, SystemExit | None):
        return result.output
    return "".join(traceback.format_exception(result.exception))


def _of_certificates(folder: Path) -> list[str]:
    """Have certificates refused, each for another reason, by both sides."""
    ours, other = Authority.init(folder / "ours"), Authority.init(folder / "other")
    for authority in (ours, other):
        authority.issue("alice", Role.OBSERVER)
        authority.issue("server", Role.ENGINEER, ["localhost"])
    self_signed(folder / "old", "eve", days=-1)
    write_private(folder / "old" / "ca.crt", (ours.folder / "ca.crt").read_bytes())
    alice = Credentials(folder=ours.folder, name="alice")
    told = [_run(["names", "list", "--certs", str(folder / f)], "") for f in ("ours", "old")]
    told.append(_refusal_of(alice.server_context))
    tls = Credentials(folder=ours.folder, name="server").server_context()
    stranger = Credentials(folder=other.folder, name="alice")
    pretender = context_of(other.folder, "alice", ours.folder)
    with ObjectAdapter(tls=tls, guard=AccessGuard(Policy())) as secure, ObjectAdapter() as plain:
        uri = secure.activate(HallServant(), Hall, "hall")
        in_clear = plain.activate(HallServant(), Hall, "hall")
        own = alice.client_context()
        told += [_said_to(None, uri), _said_to(own, in_clear), _said_to(own, uri)]
        told += [_said_to(stranger.client_context(), uri), _said_to(pretender, uri)]
    (ours.folder / "ca.key").chmod(0o644)
    return [*told, _run(["certs", "issue", "bob", "--dir", str(ours.folder)], "")]


def _of_refused_keywords(folder: Path) -> list[str]:
    """Have keywords refused by a dictionary, and a dictionary that is not there."""
    vocabulary = Vocabulary(load_dictionaries([_DICTIONARY]))
    wrong: list[list[FitsKeyword]] = [
        [ValueKeyword(name="EXPTIM", value=1.0)],
        [ValueKeyword(name="EXPTIME", value="long")],
        [ValueKeyword(name="EXPTIME", value=-1.0), ValueKeyword(name="OBJEC", value="M 31")],
    ]
    missing = OcmSettings(instrument_id="TEST", dictionaries=["ESO-VLT-DIC.NONE"])
    told = [_refusal_of(partial(vocabulary.update, "x", each)) for each in wrong]
    return [*told, _refusal_of(partial(OcmComponent, FakeSite(folder, name="ocm"), missing))]


def _of_silent_merger(folder: Path) -> str:
    """Let a merger say nothing for an hour."""
    merger = MergerControl(folder / "merger")
    merger.hold()
    (folder / "silent").mkdir()
    text = specification("A.1", make_source(folder / "silent" / "a.fits"))
    with running(folder / "silent", DpmSettings(bin_merge=merger.command)) as dpm:
        dpm.daq.queue_daq(text)
        merger.await_started()
        dpm.site.clock.advance(3600)
        dpm.site.tick()
        (alert,) = dpm.daq.get_daq_status("A.1").alerts
    merger.close()
    return alert.description


def _said_to(context: ssl.SSLContext | None, uri: str) -> str:
    """Command a hall with a certificate; return what is said."""
    use_tls(context)
    hall = narrow(uri, Hall)
    try:
        return _refusal_of(lambda: hall.enter("x"))
    finally:
        use_tls(None)
        release(hall)


def _refusal_of(action: Callable[[], object]) -> str:
    with pytest.raises(RemoteError) as caught:
        action()
    return caught.value.explain()


def _bind_dead_object(names: str) -> None:
    with Names(parse_address(names)) as client:
        client.context.rebind(
            "obs/sources/dead", "PYRO:dead@localhost:1", "IDL:obsorb/recif/RecCmds:1.0", {}, ""
        )


def _of_silent_name_server() -> str:
    with Names(("localhost", 1)) as client, pytest.raises(RemoteError) as caught:
        client.narrow("obs/sources/dcs1/rec", RecCmds).rec_status()
    return caught.value.explain()


def _of_refused_frames(folder: Path) -> list[str]:
    write_installation(folder)
    original = next((folder / "frames").iterdir())
    (folder / "empty").mkdir()
    (folder / "cut").mkdir()
    (folder / "cut" / "cut.fits").write_bytes(original.read_bytes()[:60_000])
    settings = [DetectorSettings(frames=folder / each) for each in ("empty", "missing", "cut")]
    settings.append(DetectorSettings(frames=folder / "frames", output=_UNWRITABLE))
    return [_start_detector(folder, each) for each in settings]


def _start_detector(folder: Path, settings: DetectorSettings) -> str:
    with on_bench(DetectorComponent, settings, folder / "bench", name="d") as detector:
        with pytest.raises(RemoteError) as caught:
            detector.recorder.rec_start(RecProperties())
        return caught.value.explain()


def _stuck_acquisitions(folder: Path) -> list[list[str]]:
    keyword = {"type": "valueKeyword", "name": "A", "value": 1}
    keywords = {"type": "fitsKeywords", "sourceName": "k", "keywords": [keyword]}
    lost = {"type": "fitsFile", "sourceName": "f", "location": str(folder / "lost.fits")}
    receiver = {"type": "olasReceiver", "path": str(folder / "nowhere")}
    documents = [
        {"id": "collecting", "sources": [lost]},
        {"id": "releasing", "sources": [keywords], "receivers": [receiver]},
        {"sources": [lost], "mergeTarget": {"sourceName": "other"}},
        {"sources": [keywords | {"keywords": [keyword | {"value": "x" * 3_000_000}]}]},
    ]
    start = ["daq", "start", "dcs1@obs/sources/dcs1/rec", "--id", "long"]
    return [*(["daq", "startv2", json.dumps(each)] for each in documents), start]


def _pause_detector(names: str) -> None:
    """Let the recording last: it cannot end before others were in its way."""
    with Names(parse_address(names)) as client:
        client.narrow("obs/sources/dcs1/rec", RecCmds).rec_pause()


def _commands() -> list[list[str]]:
    lines = """
        daq start dcs1@obs/sources/dcs1/rec --id long
        daq start dcs1@obs/sources/dcs1/rec --id other
        std enable
        daq start x@obs/sources/nobody/rec
        daq start x@obs/sources/dead --id dead
        daq start x@obs/ocm/daq
        daq start x
        daq getstatus nobody
        daq awaitstate collecting StateMerging Merging 0.5
        daq startv2 {
        daq startv2 {"sources":[{"type":"primarySource","sourceName":"a","rrUrl":"b"}]}
        daq startv2 @nothing.json
        --names localhost names tree
        --names localhost:1 names tree
    """
    return [line.split() for line in lines.strip().splitlines()]


_ENDINGS = [
    "daq getstatus collecting",
    "daq getstatus releasing",
    "daq abort collecting",
    "daq abort releasing",
    "daq abort releasing",
    "daq abort long",
    "daq forceabort dead",
    "std disable",
    "daq start dcs1@obs/sources/dcs1/rec",
    "std enable",
]


def _of_processes_that_do_not_start(folder: Path, place: Path, names: str) -> list[str]:
    files = {
        "port": ("localhost:0", names),
        "store": ('data_root = "data"', f'data_root = "{place / "data"}"'),
        "unwritable": ('data_root = "data"', f'data_root = "{_UNWRITABLE}"'),
        "elsewhere": ("localhost:0", "elsewhere.invalid:9090"),
    }
    commands = [["up", str(_written(folder, *each))] for each in files.items()]
    # A second instance of the component, and a second component of its name.
    commands += [["serve", f"{each}/installation.toml", "dcs1"] for each in (place, folder)]
    with ThreadPoolExecutor(len(commands)) as pool:
        return [*pool.map(lambda command: _run_beside(command, names), commands)]


def _run_beside(command: list[str], names: str) -> str:
    """Run a command in a process of its own: it starts others, or becomes a component."""
    done = subprocess.run(
        [str(OBSORB), *command],
        env=os.environ | {"OBSORB_NAMES": names},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    return done.stdout


def _written(folder: Path, name: str, change: tuple[str, str]) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(TEMPLATE.replace(*change))
    return file


def _starts(folder: Path) -> list[list[str]]:
    """Return commands that start installations, or components of them, in vain."""
    files = {
        "toml": ("[component.ocm]", "component.ocm]"),
        "kind": ('"telemetry"', '"telemetrie"'),
        "setting": ("autostart", "autostarts"),
        "type": ('frames = "frames"', 'exposure_s = "long"'),
    }
    return [
        *(["up", str(_written(folder, *each))] for each in files.items()),
        ["up", str(folder / "no-such-file.toml")],
        ["up", str(folder)],
        ["serve", str(folder / "installation.toml"), "dcs9"],
    ]


def _await_alerts(names: str, *ids: str) -> None:
    with Names(parse_address(names)) as client:
        ocm = client.narrow("obs/ocm/daq", OcmDaqControl)
        eventually(lambda: all(ocm.get_status(id).error for id in ids))
