"""Files brought by a real rsync through a real ssh server."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from objects.products.cancel import Cancel, Cancelled
from objects.products.remote import Network, NetworkSettings
from objects.products.remote.rsync import Rsync, RsyncSettings
from objects.products.transfer import TransferFailed
from tests.support.disk import small_disk
from tests.support.eventually import eventually
from tests.support.products import make_source
from tests.support.sshd import HOST, SshServer
from tests.unit.products.remote.conftest import on_far


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failed_fetch(network: Network, origin: Path, place: Path) -> TransferFailed:
    """Fetch in vain: the failure has a cause and a remedy, and nothing stands at the place."""
    with pytest.raises(TransferFailed) as failed:
        network.fetch(on_far(origin), place, Cancel())
    assert failed.value.cause
    assert failed.value.remedy
    assert not place.exists()
    return failed.value


def test_a_file_comes_with_its_time_and_nothing_else_is_left(
    network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """More than a pipe holds at a time; what is there is known to be current afterwards."""
    origin = make_source(far_folder / "a.fits", os.urandom(5 << 20))
    place = tmp_path / "here" / "0_s_a.fits"
    place.parent.mkdir()
    network.fetch(on_far(origin), place, Cancel())
    assert place.read_bytes() == origin.read_bytes()
    assert place.stat().st_mtime_ns == origin.stat().st_mtime_ns
    assert names(place.parent) == ["0_s_a.fits"]
    assert network.is_current(on_far(origin), place, Cancel())
    origin.write_bytes(b"another")
    assert not network.is_current(on_far(origin), place, Cancel())
    assert network.describe() == ""


NAMES = ("a b.fits", "a*b?[1].fits", "$(touch x);`y`'\".fits", "é\n.fits", "a\\b.fits")


def test_no_shell_and_no_pattern_reads_a_name(
    network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """The file of that name comes, and no other."""
    make_source(far_folder / "aXb21.fits", b"another")
    for index, name in enumerate(NAMES):
        origin = make_source(far_folder / name, name.encode())
        network.fetch(on_far(origin), tmp_path / f"{index}", Cancel())
        assert (tmp_path / f"{index}").read_bytes() == origin.read_bytes()


def test_no_shell_and_no_pattern_reads_the_name_of_a_receiver(
    network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """The folder of that name gets the file."""
    (far_folder / "in 1").mkdir()
    folder = far_folder / "in ?;$(touch x)'"
    folder.mkdir()
    network.deliver(make_source(tmp_path / "p"), on_far(folder / "A.1.fits"), Cancel())
    assert names(folder) == ["A.1.fits"]
    assert names(far_folder / "in 1") == []


def test_a_name_that_cannot_be_said_is_refused(network: Network, tmp_path: Path) -> None:
    """A pattern and a backslash together: better no file than the wrong one."""
    failure = failed_fetch(network, tmp_path / "a\\*b", tmp_path / "got")
    assert "cannot be given to rsync" in failure.description
    assert not failure.passing


@pytest.mark.parametrize(("kind", "says"), [("folder", "not a regular"), ("fifo", "not a regular")])
def test_what_is_no_file_is_told(
    network: Network, far_folder: Path, tmp_path: Path, kind: str, says: str
) -> None:
    """Also when a part of an earlier file lies here: it is not taken for the whole."""
    if kind == "folder":
        (far_folder / "a").mkdir()
    else:
        os.mkfifo(far_folder / "a")
    (tmp_path / ".got.part").write_text("a part")
    assert says in failed_fetch(network, far_folder / "a", tmp_path / "got").description


def test_a_missing_file_is_told(network: Network, far_folder: Path, tmp_path: Path) -> None:
    """With the exit code, its meaning, and what rsync said."""
    failure = failed_fetch(network, far_folder / "none", tmp_path / "got")
    assert "exit code 23: the file could not be transferred" in failure.description
    assert "No such file" in failure.description
    assert HOST in failure.cause
    assert not failure.passing


def test_a_lost_connection_keeps_what_has_come_and_goes_on_from_there(
    sshd: SshServer, network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """A part stays under its hidden name; the next try completes it."""
    origin = make_source(far_folder / "a.fits", os.urandom(1 << 20))
    part = tmp_path / ".got.part"
    part.write_bytes(origin.read_bytes()[: 600 << 10])
    program = tmp_path / "breaks"
    program.write_text("#!/bin/sh\nexit 12\n")
    program.chmod(0o755)
    settings = RsyncSettings(program=str(program), ssh_command=sshd.command())
    failure = failed_fetch(Network(NetworkSettings(rsync=settings)), origin, tmp_path / "got")
    assert "the conversation broke off" in failure.description
    assert failure.passing
    assert part.exists()
    network.fetch(on_far(origin), tmp_path / "got", Cancel())
    assert (tmp_path / "got").read_bytes() == origin.read_bytes()
    assert not part.exists()


def test_a_file_that_grows_while_it_comes_is_fetched_again(
    network: Network, far_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come at the end is what the original is then; one that never rests is told."""
    origin = make_source(far_folder / "a.fits", b"begin")
    compare, rounds = Rsync.compare, [2]

    def growing(*args: Any, **options: Any) -> Any:
        if rounds[0]:
            rounds[0] -= 1
            with origin.open("ab") as file:
                file.write(b"more")
        return compare(*args, **options)

    monkeypatch.setattr(Rsync, "compare", growing)
    network.fetch(on_far(origin), tmp_path / "got", Cancel())
    assert (tmp_path / "got").read_bytes() == origin.read_bytes()
    rounds[0] = 9
    failure = failed_fetch(network, origin, tmp_path / "other")
    assert failure.passing
    assert "still written" in failure.cause
    assert "got" in names(tmp_path)
    assert ".other.part" not in names(tmp_path)


def test_damage_on_our_disk_is_found(
    network: Network, far_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands on the disk is compared, not what was sent."""
    origin = make_source(far_folder / "a.fits", b"x" * 100)
    move, rounds = Rsync.move, [1]

    def damaging(*args: Any, **options: Any) -> int:
        size = move(*args, **options)
        if rounds:
            rounds.pop()
            part, before = tmp_path / ".got.part", origin.stat()
            part.write_bytes(part.read_bytes()[:-1] + b"?")
            os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
        return size

    monkeypatch.setattr(Rsync, "move", damaging)
    network.fetch(on_far(origin), tmp_path / "got", Cancel())
    assert (tmp_path / "got").read_bytes() == origin.read_bytes()


def test_a_transfer_is_ended_with_all_its_processes(
    sshd: SshServer, far_folder: Path, tmp_path: Path
) -> None:
    """Whoever runs in its group: rsync, ssh, anything that these start."""
    program = tmp_path / "hangs"
    program.write_text(
        f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/pid.part\n"
        f"mv {tmp_path}/pid.part {tmp_path}/pid\nwait\n"
    )
    program.chmod(0o755)
    settings = RsyncSettings(program=str(program), ssh_command=sshd.command())
    network, cancel, ends = Network(NetworkSettings(rsync=settings)), Cancel(), []

    def fetch() -> None:
        try:
            network.fetch(on_far(far_folder / "a"), tmp_path / "got", cancel)
        except Cancelled:
            ends.append("cancelled")

    thread = threading.Thread(target=fetch)
    thread.start()
    eventually((tmp_path / "pid").exists, "the program runs")
    pid = int((tmp_path / "pid").read_text())
    assert network.describe() == f"receiving got from {HOST}"
    cancel.request()
    thread.join(30)
    assert ends == ["cancelled"]
    eventually(lambda: not is_running(pid), "its child has ended")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_progress_is_told_while_it_comes(
    network: Network, far_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, the host, how far and how fast."""
    origin = make_source(far_folder / "a.fits", os.urandom(3 << 20))
    told: list[str] = []
    move = Rsync.move

    def watched(self: Rsync, call: Any, options: Any, cancel: Any, size: Any, tell: Any) -> int:
        def note(progress: str) -> None:
            tell(progress)
            told.append(network.describe())

        return move(self, call, options, cancel, size, note)

    monkeypatch.setattr(Rsync, "move", watched)
    network.fetch(on_far(origin), tmp_path / "got", Cancel())
    assert told[-1].startswith(f"receiving got from {HOST}: 100 % at ")


def test_no_more_than_the_limit_come_at_a_time_in_their_order(
    sshd: SshServer, far_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits can be ended, and the others have their turn."""
    origin = make_source(far_folder / "a.fits")
    settings = RsyncSettings(ssh_command=sshd.command())
    network = Network(NetworkSettings(rsync=settings, receive=1))
    gate, inside, cancel = threading.Event(), threading.Event(), Cancel()
    ends: list[str] = []
    move = Rsync.move

    def held(*args: Any) -> int:
        inside.set()
        assert gate.wait(30)
        return move(*args)

    def fetch(name: str, cancel: Cancel) -> None:
        try:
            network.fetch(on_far(origin), tmp_path / name, cancel)
        except Cancelled:
            ends.append(f"{name} ended")
        else:
            ends.append(name)

    monkeypatch.setattr(Rsync, "move", held)
    threads = [threading.Thread(target=fetch, args=("first", Cancel()))]
    threads[0].start()
    assert inside.wait(30)
    for each, its in (("second", cancel), ("third", Cancel())):
        threads.append(threading.Thread(target=fetch, args=(each, its)))
        threads[-1].start()
    assert network.describe() == f"receiving first from {HOST}"
    cancel.request()
    eventually(lambda: ends == ["second ended"])
    gate.set()
    for thread in threads:
        thread.join(30)
    assert ends == ["second ended", "first", "third"]


def test_a_transfer_that_has_no_room_is_not_begun(
    network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """The small disk keeps its room for others; what is too large is told with both figures."""
    origin = make_source(far_folder / "a.fits", bytes(4 << 20))
    with small_disk(tmp_path / "small", "1m") as disk:
        failure = failed_fetch(network, origin, disk / "got")
        assert "are needed" in failure.description
        assert "is full" in failure.cause
        assert failure.passing
        assert names(disk) == []


def test_a_product_is_delivered_whole_and_never_twice(
    network: Network, far_folder: Path, tmp_path: Path
) -> None:
    """Equal content counts as delivered, whatever its time; other content is never replaced."""
    product = make_source(tmp_path / "p.fits", os.urandom(1 << 20))
    product.chmod(0o444)
    target = far_folder / "A.1.fits"
    network.deliver(product, on_far(target), Cancel())
    assert target.read_bytes() == product.read_bytes()
    assert names(far_folder) == ["A.1.fits"]
    os.utime(target, (1, 1))
    network.deliver(product, on_far(target), Cancel())
    assert target.stat().st_mtime == 1
    target.chmod(0o644)
    target.write_bytes(b"other")
    with pytest.raises(TransferFailed, match="is another file") as failed:
        network.deliver(product, on_far(target), Cancel())
    assert not failed.value.passing
    assert target.read_bytes() == b"other"


@pytest.mark.parametrize(
    ("folder", "says"), [("none", "No such file"), ("file", "Not a directory")]
)
def test_a_receiver_that_is_no_folder_is_told(
    network: Network, far_folder: Path, tmp_path: Path, folder: str, says: str
) -> None:
    """Nothing is made there."""
    (far_folder / "file").touch()
    product = make_source(tmp_path / "p.fits")
    with pytest.raises(TransferFailed, match=says) as failed:
        network.deliver(product, on_far(far_folder / folder / "A.1.fits"), Cancel())
    assert failed.value.remedy
    assert names(far_folder) == ["file"]


def test_a_full_disk_of_a_receiver_is_told_and_left_empty(network: Network, tmp_path: Path) -> None:
    """No part stays there; with room it is delivered."""
    product = make_source(tmp_path / "p.fits", os.urandom(2 << 20))
    with small_disk(tmp_path / "small", "1m") as disk:
        with pytest.raises(TransferFailed, match="exit code 11") as failed:
            network.deliver(product, on_far(disk / "A.1.fits"), Cancel())
        assert f"the disk of host {HOST} is full" in failed.value.cause
        assert failed.value.passing
        assert names(disk) == []
