"""A process of a benchmark: ``child.py MODULE:CLASS ARGUMENT ...``.

The class is made with the arguments and entered as a context manager; its attribute
``hello`` is the first line on standard output. Then each line of standard input,
``{"what": METHOD, "how": {ARGUMENT: VALUE}}``, is answered by one line with what the
method returned. The process ends when its input does.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def say(value: Any) -> None:
    """Print a line for whoever gives the orders."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Be the part that is named, until the orders end."""
    module, _, name = arguments[0].partition(":")
    part = getattr(import_module(module), name)(*arguments[1:])
    with part:
        say(part.hello)
        for line in sys.stdin:
            order = json.loads(line)
            say(getattr(part, order["what"])(**order["how"]))


if __name__ == "__main__":
    main(sys.argv[1:])
