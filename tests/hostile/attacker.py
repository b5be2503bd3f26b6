"""The attackers' process: does attacks and harmless work when told to."""

from __future__ import annotations

import threading
import traceback
from typing import Any

from tests.hostile.attack import Attack, Field, Run, repeat
from tests.hostile.attacks import ATTACKS
from tests.hostile.child import requests, say, settle
from tests.hostile.harmless import HARMLESS

_HOT_DEADLINE_S = 10.0
_END_DEADLINE_S = 20.0


def _begin(attack: Attack, field: Field, run: Run, failures: list[str]) -> list[threading.Thread]:
    def work() -> None:
        try:
            repeat(attack, field, run)
        except Exception:  # noqa: BLE001 (the outermost frame of a thread; the test shows it)
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(attack.threads)]
    for thread in threads:
        thread.start()
    return threads


def _chosen(request: dict[str, Any]) -> Attack:
    if "attack" in request:
        return ATTACKS[request["attack"]]
    return HARMLESS[request["beside"]](request["threads"])


def main() -> None:
    """Wait for requests: begin an attack; end it."""
    settle(1)
    say(ready=True)
    incoming = requests()
    field = Field(**next(incoming))
    say(ready=True)
    for request in incoming:
        run, failures = Run(), list[str]()
        threads = _begin(_chosen(request), field, run, failures)
        run.wait_until_hot(_HOT_DEADLINE_S)
        say(hot=True)
        next(incoming)
        run.end()
        for thread in threads:
            thread.join(_END_DEADLINE_S)
        stuck = sum(thread.is_alive() for thread in threads)
        say(answers=dict(run.answers), failures=failures[:3], stuck=stuck)


if __name__ == "__main__":
    main()
