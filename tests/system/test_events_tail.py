"""``obsorb events tail`` as a process, while the channel's process is killed."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.blind_child import BlindChild, NameServerProcess

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

DEADLINE_S = 60.0
OBSORB = str(Path(sys.executable).with_name("obsorb"))


class Tail:
    """The command's process."""

    def __init__(self, port: int, *options: str) -> None:
        self.process = subprocess.Popen(
            [OBSORB, "events", "tail", *options, "--names", f"localhost:{port}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def next(self, *, is_error: bool = False) -> bytes:
        """Return the next line of its output, or of its standard error."""
        stream = self.process.stderr if is_error else self.process.stdout
        assert stream is not None
        ready, _, _ = select.select([stream], [], [], DEADLINE_S)
        assert ready, f"no line within {DEADLINE_S} s"
        return stream.readline()

    def await_type(self, *types: str) -> dict[str, Any]:
        """Return the next document of one of some types."""
        while True:
            found: dict[str, Any] = json.loads(self.next())
            if found["type"] in types:
                return found

    def end(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)


@contextmanager
def channel(folder: Path, names: NameServerProcess) -> Iterator[BlindChild]:
    """Run a channel with a journal; its heartbeat is what there is to read."""
    child = BlindChild("channel", folder / "channel.log")
    try:
        child.begin({"names": names.port, "folder": str(folder), "settings": {"journal": "events"}})
        yield child
    finally:
        child.discard()


def test_it_says_that_it_is_blind_and_goes_on_over_a_kill_of_the_channel(tmp_path: Path) -> None:
    """To programs as documents, to people beside the output; Ctrl-C ends both with 0."""
    names = NameServerProcess(tmp_path / "names.db")
    tails: list[Tail] = []
    try:
        with channel(tmp_path, names) as victim:
            tails += [Tail(names.port, "--json"), Tail(names.port)]
            before = tails[0].await_type("event")
            tails[1].next()
            victim.kill()
            blind = tails[0].await_type("blind", "sees")
            told = [tails[1].next(is_error=True)]
        with channel(tmp_path, names):
            sees = tails[0].await_type("sees", "blind")
            after = tails[0].await_type("event", "gap")
            told.append(tails[1].next(is_error=True))
            ends = [each.end() for each in tails]
        assert (blind["type"], sees["type"], after["type"]) == ("blind", "sees", "event")
        assert after["sequence"] > before["sequence"]
        assert ends == [0, 0]
        assert b"does not answer" in told[0]
        assert b"answers again" in told[1]
    finally:
        for each in tails:
            each.kill()
        names.kill()
