"""Has pictures of products made beside the work of the DPM, by one process that comes and goes."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from objects.component import launch
from objects.products.quicklook import worker
from objects.products.quicklook.worker import PictureMade, PictureOrder

log = logging.getLogger("daq.dpm.quicklook")

MOST_WAITING = 256
"""Products that wait for their picture; of more the oldest ones go without."""

DRAW_S = 120.0
IDLE_S = 30.0
SHARE = 200
"""Pictures that one process draws: what it may have leaked stays bounded."""

PROGRAM = Path(worker.__file__)
_LEFT_OUT = "too many products came at once"


class Pictures:
    """A queue, a thread, and a process as long as there is something to draw.

    Args:
        note: Called after each, from the thread: the acquisition, and what went wrong or nothing.
        idle_s: The process is ended after so long without work.
        draw_s: It is ended when a picture takes longer.
        program: What the process runs.
    """

    def __init__(
        self,
        note: Callable[[str, str], None],
        *,
        idle_s: float = IDLE_S,
        draw_s: float = DRAW_S,
        program: Path = PROGRAM,
    ) -> None:
        self._note = note
        self._idle_s = idle_s
        self._draw_s = draw_s
        self._program = program
        self._news = threading.Condition()
        self._waiting: deque[tuple[str, Path]] = deque()
        self._drawn = ""
        self._worker: _Worker | None = None
        self._closed = False
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="dpm-pictures")

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def close(self, patience_s: float = 0.0) -> None:
        """End; what waits is drawn as far as there is time for it."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        if self._thread.ident is None:
            return
        self._thread.join(patience_s)
        with self._news:
            self._given_up = True
            if self._worker is not None:
                self._worker.kill()
        self._thread.join()

    def request(self, id: str, product: Path) -> None:
        """Have a picture made of the product of an acquisition; returns at once."""
        with self._news:
            self._waiting.append((id, product))
            self._news.notify_all()

    def expects(self, id: str) -> bool:
        """Tell whether the picture of an acquisition waits to be drawn, or is being drawn."""
        with self._news:
            return id == self._drawn or any(id == each for each, _ in self._waiting)

    @property
    def pid(self) -> int | None:
        """Process id of who draws; ``None``: there is nobody now."""
        worker_ = self._worker
        return worker_.pid if worker_ is not None else None

    def _run(self) -> None:
        while (order := self._next()) is not None:
            id, product = order
            error = self._draw(product)
            if not self._given_up:
                self._tell(id, error)
            with self._news:
                self._drawn = ""
        self._dismiss()

    def _next(self) -> tuple[str, Path] | None:
        while True:
            self._leave_out()
            with self._news:
                patience_s = self._idle_s if self._worker is not None else None
                self._news.wait_for(lambda: self._waiting or self._closed, patience_s)
                if self._given_up or (self._closed and not self._waiting):
                    return None
                if self._waiting:
                    self._drawn = self._waiting[0][0]
                    return self._waiting.popleft()
            self._dismiss()

    def _leave_out(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._tell(self._waiting[0][0], _LEFT_OUT)
            with self._news:
                self._waiting.popleft()

    def _tell(self, id: str, error: str) -> None:
        try:
            self._note(id, error)
        except Exception:
            log.exception("%s: what became of its picture is not known any more", id)

    def _draw(self, product: Path) -> str:
        try:
            found = self._ready()
        except OSError as failure:
            return f"no process could be started: {failure}"
        if found is None:
            return "the DPM ends"
        error, is_well = found.draw(product, self._draw_s)
        if not is_well or found.pictures >= SHARE:
            self._dismiss()
        return error

    def _ready(self) -> _Worker | None:
        with self._news:
            if self._worker is None and not self._given_up:
                self._worker = _Worker(self._program)
            return self._worker

    def _dismiss(self) -> None:
        with self._news:
            worker_, self._worker = self._worker, None
        if worker_ is not None:
            worker_.dismiss()


class _Worker:
    """The process."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid())),
                *(sys.executable, "-P", str(program)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what goes wrong stands in its answers
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.pictures = 0
        log.info("process %d started, to draw pictures", self.pid)

    def draw(self, product: Path, within_s: float) -> tuple[str, bool]:
        """Return what went wrong, or nothing; and whether the process can go on."""
        self.pictures += 1
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):  # its end is seen below
            stdin.write(msgspec.json.encode(PictureOrder(product=str(product))) + b"\n")
            stdin.flush()
        ready, _, _ = select.select([stdout], [], [], within_s)
        if not ready:
            return f"it took longer than {within_s:g} s", False
        try:
            return msgspec.json.decode(stdout.readline(), type=PictureMade).error, True
        except msgspec.DecodeError:
            return "the process that draws it has died", False

    def kill(self) -> None:
        """End it at once: it has nothing to lose."""
        self._process.kill()

    def dismiss(self) -> None:
        """End it and forget it."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
