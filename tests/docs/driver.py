"""Runs the steps of a page in the current folder: a program of its own, without our code.

It reads a JSON object with ``page`` and ``steps`` from standard input and ends with 0
when every step did what the page says. Tracebacks point at lines of the page.
"""

from __future__ import annotations

import importlib
import json
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

_READY_DEADLINE_S = 60.0
_END_DEADLINE_S = 30.0


def main() -> int:
    """Run all steps; at the first that fails say which and why."""
    plan = json.load(sys.stdin)
    module = ModuleType("__main__")
    module.__file__ = str(Path("snippet.py").resolve())
    sys.modules["__main__"] = module
    # Files of the page can be imported, as by a script beside them; the driver's neighbours not.
    sys.path[0] = str(Path.cwd())
    with ExitStack() as staying:
        for step in plan["steps"]:
            complaint = _run(step, plan["page"], vars(module), staying)
            if complaint:
                sys.stderr.write(f"{plan['page']}:{step['line']}: {complaint}\n")
                return 1
    return 0


def _run(step: dict[str, Any], page: str, namespace: dict[str, Any], staying: ExitStack) -> str:
    match step["kind"]:
        case "file":
            return _write(step["name"], step["text"])
        case "python":
            return _execute(step, page, namespace)
        case "stays":
            program = _Staying(step["text"])
            staying.callback(program.end)
            return program.missing(step["expected"])
        case _:
            return _command(step["text"], step["expected"])


class _Staying:
    """A program that goes on beside the steps that follow."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)

    def missing(self, expected: list[str]) -> str:
        """Wait until it has printed the expected lines; say what is missing."""
        printed: list[str] = []
        deadline = time.monotonic() + _READY_DEADLINE_S
        while line := first_missing(printed, expected):
            try:
                news = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                news = None
            if news is None:
                return f"$ {self._command}\ndid not print {line!r} but:\n{''.join(printed)}"
            printed.append(news)
        return ""

    def end(self) -> None:
        """Press Ctrl-C; a program that does not obey or complains fails the page."""
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(_END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        if code:
            raise RuntimeError(f"$ {self._command}\nended with {code} after Ctrl-C")


def _write(name: str, text: str) -> str:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        return f"a page may not write outside its folder: {name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    return ""


def _execute(step: dict[str, Any], page: str, namespace: dict[str, Any]) -> str:
    padded = "\n" * (step["line"] - 1) + step["text"]
    try:
        exec(compile(padded, page, "exec", dont_inherit=True), namespace)
    except SystemExit as ending:
        return "" if not ending.code else f"the snippet ended with {ending.code}"
    except BaseException:  # noqa: BLE001 (whatever a snippet raises is the answer)
        return f"the snippet failed\n{traceback.format_exc()}"
    return ""


def _command(command: str, expected: list[str]) -> str:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        return f"$ {command}\nended with {done.returncode}:\n{done.stdout}"
    missing = first_missing(done.stdout.splitlines(), expected)
    return f"$ {command}\ndid not print {missing!r} but:\n{done.stdout}" if missing else ""


def first_missing(printed: list[str], expected: list[str]) -> str:
    """Return the first expected line that is not printed after those before it, or nothing."""
    rest = iter(line.strip() for line in printed)
    for line in expected:
        pattern = ".*".join(re.escape(part) for part in line.strip().split("..."))
        if line.strip() != "..." and not any(re.fullmatch(pattern, each) for each in rest):
            return line
    return ""


if __name__ == "__main__":
    sys.exit(main())
