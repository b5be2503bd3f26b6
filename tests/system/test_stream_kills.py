"""A stream whose process is killed again and again loses nothing that was flushed."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from objects.logger_stream.files.verify import verify
from tests.support.streams import lbns_in, numbers_in

pytestmark = pytest.mark.system

CHILD = "tests.system.stream_child"

HOUSE = Path(__file__).parents[2]


def begin(root: Path, seed: int) -> subprocess.Popen[str]:
    """Start a process that writes."""
    return subprocess.Popen(
        [sys.executable, "-m", CHILD, str(root), str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HOUSE,
    )


def write_and_kill(root: Path, seed: int, promised: int) -> int:
    """Have a process write for a while, and kill it; return what it has promised by then."""
    chance = random.Random(seed)
    with begin(root, seed) as child:
        try:
            assert child.stdout is not None
            what, number = child.stdout.readline().split()
            assert what == "resumed"
            assert int(number) >= promised
            for _ in range(chance.randrange(1, 6)):
                promised = int(child.stdout.readline().split()[1])
        finally:
            child.kill()
        # What it has said until it was killed counts, too.
        with suppress(ValueError):
            promised = max([promised, *(int(each.split()[1]) for each in child.stdout)])
    return promised


def write_to_the_end(root: Path, promised: int) -> int:
    """Have a process go on and end in good order; return how many events it counts."""
    with begin(root, 0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        resumed = int(child.stdout.readline().split()[1])
        assert resumed >= promised
        child.stdin.write("end\n")
        child.stdin.flush()
        lines = child.stdout.read().splitlines()
    assert child.returncode == 0
    assert lines[-1].startswith("ended ")
    return int(lines[-1].split()[1])


def survives(root: Path, kills: int) -> None:
    """Kill so often; everything is there once, in its range, in whole files."""
    promised = 0
    for seed in range(1, kills + 1):
        promised = write_and_kill(root, seed, promised)
    count = write_to_the_end(root, promised)
    assert list(root.rglob("*.raw.part")) == []
    files = sorted(root.rglob("*.raw"))
    numbers = [n for each in files for n in numbers_in(each)]
    assert sorted(numbers) == list(range(1, count + 1))
    blocks = [block for each in files for block in lbns_in(each)]
    assert len(blocks) == len(set(blocks))
    for each in files:
        assert verify(each).findings == []


@pytest.mark.spec("D48", "D49", "D68")
def test_a_stream_survives_kills(tmp_path: Path) -> None:
    """Each start goes on where the one before it was killed."""
    survives(tmp_path / "data", 2)


@pytest.mark.soak
def test_a_stream_survives_a_hundred_kills(tmp_path: Path) -> None:
    """The same, often."""
    survives(tmp_path / "data", 100)
