"""Runs the steps of a page in the current folder: a program of its own, without our code.

It reads a JSON object with ``page`` and ``steps`` from standard input and ends with 0
when every step did what the page says. Tracebacks point at lines of the page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any


def main() -> int:
    """Run all steps; at the first that fails say which and why."""
    plan = json.load(sys.stdin)
    module = ModuleType("__main__")
    module.__file__ = str(Path("snippet.py").resolve())
    sys.modules["__main__"] = module
    for step in plan["steps"]:
        complaint = _run(step, plan["page"], vars(module))
        if complaint:
            sys.stderr.write(f"{plan['page']}:{step['line']}: {complaint}\n")
            return 1
    return 0


def _run(step: dict[str, Any], page: str, namespace: dict[str, Any]) -> str:
    match step["kind"]:
        case "file":
            return _write(step["name"], step["text"])
        case "python":
            return _execute(step, page, namespace)
        case _:
            return _command(step["text"], step["expected"])


def _write(name: str, text: str) -> str:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        return f"a page may not write outside its folder: {name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
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
