"""A whole installation: it starts, works, heals, refuses clearly, and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from idl_like_interfaces.daqif import DaqException, DaqState, DaqSubstate, OcmDaqControl
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LogQuery, LogService
from idl_like_interfaces.stdif import StdCmds
from nameserver.client import Names, parse_address
from tests.support.eventually import eventually
from tests.support.installation import (
    OBSORB,
    TEMPLATE,
    Running,
    running_installation,
    start,
    write_installation,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

DEADLINE_S = 60.0


def specification(**more: object) -> str:
    """Return a specification with a detector and telemetry, as JSON text."""
    sources = [
        {"type": "primarySource", "sourceName": "dcs1", "rrUri": "obs/sources/dcs1/rec"},
        {"type": "metadataSource", "sourceName": "host1", "rrUri": "obs/sources/host1/daq"},
    ]
    return json.dumps({"sources": sources, **more})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with running_installation(folder) as address:
        yield address


@pytest.fixture
def names(address: str) -> Iterator[Names]:
    with Names(parse_address(address)) as names:
        yield names


def process_of(names: Names, name: str) -> psutil.Process:
    """Return the process of the component that has a name."""
    return psutil.Process(int(names.context.resolve(name).metadata["pid"]))


def is_answered_by_another(names: Names, name: str, pid: int) -> bool:
    try:
        binding = names.context.resolve(name)
        return binding.metadata["pid"] != str(pid) and names.is_alive(binding.uri)
    except RemoteError:
        return False


class TestHealing:
    """What dies is started again, and everybody finds it."""

    def test_a_killed_component_comes_back(self, names: Names, address: str) -> None:
        """The same stub finds the coordinator again after kill -9, and its acquisitions work."""
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
        assert ocm.get_active_list() == []
        killed = process_of(names, "obs/ocm/daq")
        killed.kill()
        eventually(
            lambda: is_answered_by_another(names, "obs/ocm/daq", killed.pid), "the OCM is back"
        )
        std = names.narrow("obs/ocm/std", StdCmds)
        eventually(
            lambda: std.get_state().startswith("Operational"), "the OCM is Operational again"
        )
        reply = ocm.start_daq_v2(specification())
        done = ocm.await_daq_state(reply.id, DaqState.COMPLETED, DaqSubstate.COMPLETED, DEADLINE_S)
        assert done.status.substate is DaqSubstate.COMPLETED
        assert Path(done.status.result).is_file()

    def test_a_killed_name_server_comes_back_with_all_names(
        self, names: Names, address: str
    ) -> None:
        """It returns on the same port with the names that it had."""
        before = {each.name for each in names.context.list("", True).bindings}
        port = parse_address(address)[1]
        (server,) = {
            process
            for process in psutil.Process().children(recursive=True)
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        }
        server.kill()

        def is_back() -> bool:
            try:
                return {each.name for each in names.context.list("", True).bindings} == before
            except RemoteError:
                return False

        eventually(is_back, "the name server is back with all names")
        assert names.narrow("obs/ocm/daq", OcmDaqControl).get_active_list() == []


@pytest.mark.spec("E44")
def test_the_log_of_an_acquisition_is_found_by_its_id(names: Names) -> None:
    """What coordinator, sources and product maker say of it is one history."""
    ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
    id = ocm.start_daq_v2(specification()).id
    ocm.await_daq_state(id, DaqState.COMPLETED, DaqSubstate.COMPLETED, DEADLINE_S)
    log = names.narrow("obs/log", LogService)

    def tellers() -> set[str]:
        return {each.record.component for each in log.query(LogQuery(owner=id))}

    eventually(lambda: tellers() == {"ocm", "dcs1", "host1", "dpm"}, "all have told")


def test_a_refusal_at_a_restart_is_not_the_end(tmp_path: Path) -> None:
    """A component that cannot start again just now is tried again, and says why it could not."""
    file = write_installation(tmp_path)
    up = start(str(OBSORB), "up", str(file), cwd=tmp_path)
    try:
        address = up.await_line("name server: ")
        up.await_line("tested is up")
        folder = tmp_path / "data" / "log"
        folder.rename(folder.with_name("away"))
        folder.write_text("in the way")
        with Names(parse_address(address)) as names:
            process_of(names, "obs/log").kill()
        up.await_line("log died (signal SIGKILL)")
        assert str(folder) in up.await_line("log refuses to start: ")
        folder.unlink()
        folder.with_name("away").rename(folder)
        up.await_line("started log")
    finally:
        assert up.end() == 0


class TestRefusals:
    """What is wrong is said, with what to do."""

    def test_a_second_instance_of_a_name_is_refused(
        self, address: str, tmp_path: Path, names: Names
    ) -> None:
        """`obsorb serve` of a component that runs already ends at once and says why."""
        file = write_installation(tmp_path)
        ran = obsorb("serve", str(file), "ocm", names=address)
        assert ran.returncode == 1
        assert "living object" in ran.stderr
        assert "remedy:" in ran.stderr
        assert "Traceback" not in ran.stderr
        assert names.narrow("obs/ocm/daq", OcmDaqControl).get_active_list() == []

    def test_a_source_that_is_down_is_named(self, names: Names) -> None:
        """The acquisition is refused, and the refusal says which source and what to do."""
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
        broken = specification().replace("obs/sources/host1/daq", "obs/sources/nowhere/daq")
        with pytest.raises(DaqException, match="host1") as caught:
            ocm.start_daq_v2(broken)
        assert caught.value.remedy
        assert ocm.get_status(caught.value.id).error

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"sources": 3}', '{"sources": [], "x": 1}'])
    def test_a_wrong_specification_is_refused(self, names: Names, text: str) -> None:
        """Nothing is started for a document that is not right."""
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
        before = ocm.get_active_list()
        with pytest.raises(DaqException) as caught:
            ocm.start_daq_v2(text)
        assert caught.value.remedy
        assert ocm.get_active_list() == before


def obsorb(
    *arguments: str, names: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    environment = os.environ | ({"OBSORB_NAMES": names} if names else {})
    return subprocess.run(
        [OBSORB, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        env=environment,
        cwd=cwd,
        check=False,
    )


class TestStarting:
    """`obsorb up` refuses what cannot work, and then nothing is left running."""

    def refused(self, folder: Path, text: str = TEMPLATE) -> str:
        """Start an installation that must be refused; return what it says."""
        before = {child.pid for child in psutil.Process().children(recursive=True)}
        ran = obsorb("up", str(write_installation(folder, text)), cwd=folder)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        assert "remedy:" in ran.stderr
        assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
        return ran.stderr

    def test_a_port_in_use_is_refused(self, tmp_path: Path) -> None:
        """The name server's port belongs to another program."""
        with socket.create_server(("localhost", 0)) as taken:
            port = taken.getsockname()[1]
            said = self.refused(tmp_path, TEMPLATE.replace("localhost:0", f"localhost:{port}"))
        assert str(port) in said
        assert "in use" in said

    def test_an_unknown_kind_is_refused(self, tmp_path: Path) -> None:
        """Nothing is started when the file is wrong."""
        assert "component.dpm.kind" in self.refused(tmp_path, TEMPLATE.replace('"dpm"', '"dpn"'))

    def test_a_wrong_setting_is_refused(self, tmp_path: Path) -> None:
        """The field is named."""
        text = TEMPLATE.replace('instrument_id = "STIS"', "instrument_id = 5")
        assert "component.ocm.instrument_id" in self.refused(tmp_path, text)

    def test_a_read_only_data_root_is_refused(self, tmp_path: Path) -> None:
        """A disk that cannot be written to is told at the start."""
        root = tmp_path / "data"
        root.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(root)],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip("this machine does not let a test mount a read-only file system")
        try:
            said = self.refused(tmp_path)
        finally:
            subprocess.run(["umount", str(root)], check=True)
        assert "ead-only file system" in said
        assert str(root) in said


class TestFrames:
    """Folders of frames that are not what they should be."""

    @pytest.fixture
    def frames(self, folder: Path, names: Names) -> Iterator[Path]:
        """Lend the detector's folder of frames to be spoilt."""
        frames = folder / "frames"
        kept = folder / "kept"
        shutil.copytree(frames, kept)
        yield frames
        shutil.rmtree(frames)
        kept.rename(frames)

    def refused(self, names: Names) -> str:
        """Start an acquisition that must be refused; return what it says."""
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl)
        with pytest.raises(DaqException) as caught:
            ocm.start_daq_v2(specification())
        assert caught.value.remedy
        status = ocm.get_status(caught.value.id)
        assert (status.substate, status.error) == (DaqSubstate.ABORTED, True)
        return caught.value.explain()

    def test_a_folder_without_fits_files_is_refused(self, frames: Path, names: Names) -> None:
        """The detector says that there is nothing to record, and where."""
        shutil.rmtree(frames)
        frames.mkdir()
        (frames / "readme.txt").write_text("no frames here")
        assert str(frames) in self.refused(names)

    def test_a_truncated_frame_is_refused(self, frames: Path, names: Names) -> None:
        """The detector names the file that is cut short."""
        (file,) = frames.iterdir()
        os.truncate(file, file.stat().st_size // 2)
        assert "o4sp040b0_raw.fits" in self.refused(names)


class TestStopping:
    """Ctrl-C at any moment ends everything."""

    @pytest.mark.parametrize(
        "after",
        ["", "name server: ", "started ", "StateAcquiring/Acquiring", "StateMerging"],
        ids=["at once", "name server", "first component", "acquiring", "merging"],
    )
    def test_an_interrupted_demo_leaves_nothing(self, tmp_path: Path, after: str) -> None:
        """Whatever it is doing, it stops its processes and ends quietly."""
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        demo = start(str(OBSORB), "demo", cwd=tmp_path, environment=environment)
        children: set[psutil.Process] = set()
        try:
            if after:
                await_words(demo, after)
            children = set(psutil.Process(demo.process.pid).children(recursive=True))
        finally:
            code = demo.end(signal.SIGINT)
        assert code in (130, -signal.SIGINT), demo.lines
        _, alive = psutil.wait_procs(list(children), timeout=50)
        assert not alive
        assert "Traceback" not in (tmp_path / "stderr.log").read_text()

    def test_the_children_end_with_their_supervisor(self, tmp_path: Path) -> None:
        """Even kill -9 of the supervisor leaves no component behind."""
        up = start(str(OBSORB), "up", str(write_installation(tmp_path)), cwd=tmp_path)
        up.await_line("tested is up")
        children = psutil.Process(up.process.pid).children(recursive=True)
        assert len(children) == 11
        up.end(signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=50)
        assert not alive


def await_words(running: Running, words: str) -> None:
    """Wait for a line that contains the words."""
    while words not in running.await_line(""):
        pass
