"""Several threads may read a type for the first time at once; the process survives it."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from idl_like_interfaces.first_use import all_ready, ready

TYPES = 150

PROGRAM = f"""
import sys, threading
import msgspec
from idl_like_interfaces.mapping.coding import from_plain
sys.setswitchinterval(1e-6)
def read(wanted, together):
    together.wait(20)
    from_plain(wanted, {{"one": {{"number": 1}}, "more": [{{"number": 2}}]}})
for number in range({TYPES}):
    inner = msgspec.defstruct(f"Inner{{number}}", [("number", int), ("words", list[str], [])])
    outer = msgspec.defstruct(f"Outer{{number}}", [("one", inner), ("more", list[inner])])
    together = threading.Barrier(4)
    threads = [threading.Thread(target=read, args=(outer, together)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(20)
print("survived")
"""


def test_a_type_may_be_read_first_by_several_threads() -> None:
    """In a process of its own, which would die of it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr[-2000:]


def test_what_cannot_be_read_is_left_to_who_tries() -> None:
    """It is no error to have it made ready."""
    strange: object = 3
    assert ready(strange) == 3
    with pytest.raises(TypeError):
        msgspec.convert({}, strange)


def test_all_types_are_made_ready() -> None:
    """Also those whose fields are types that are declared later."""

    class Later(msgspec.Struct):
        number: int = 0

    all_ready()
    assert msgspec.convert({"number": 4}, Later).number == 4
