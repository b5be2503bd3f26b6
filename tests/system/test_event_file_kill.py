"""A process that writes an event file is killed: all that was flushed is there, and nothing torn."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.verify import verify
from objects.logger_stream.files.writer import EventFileWriter
from tests.support.clock import ManualClock
from tests.support.event_files import message, path_in

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from itertools import count
from pathlib import Path
from tests.support.event_files import new_writer, some

writer = new_writer(Path(sys.argv[1]), flush_bytes=20_000)
for first in count(1, 37):
    writer.append(some(range(first, first + 37), size=first % 900))
    if first % 5 == 0:
        writer.flush()
        print(first + 36, flush=True)
    if first % 7 == 0:
        writer.sync()
"""


@pytest.mark.spec("D48", "D49", "D50")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_process_loses_nothing_that_it_has_flushed(tmp_path: Path, seed: int) -> None:
    """At a random moment; the file is closed with every whole event, and goes well with its index."""
    moments = random.Random(seed).randrange(1, 40)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            flushed = [int(process.stdout.readline()) for _ in range(moments)]
        finally:
            process.kill()
        flushed += [int(line) for line in process.stdout.read().splitlines() if line]
    part = path_in(tmp_path).with_name(path_in(tmp_path).name + ".part")
    recovered = recover(part)
    assert recovered.events >= flushed[-1]
    assert recovered.read < part.stat().st_size
    path = Path(EventFileWriter.resume(recovered, ManualClock()).close("recovered").path)
    assert not verify(path).findings
    with EventFile(path) as file:
        for number, event in enumerate(file, 1):
            size = (1 + 37 * ((number - 1) // 37)) % 900
            assert bytes(event.message) == message(number, size=size)
