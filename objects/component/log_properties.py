"""The file ``log_properties``: levels of named loggers, one a line.

::

    # what drives an acquisition shall say more
    log4cplus.logger.daq.ocm.controller = DEBUG
    daq.dpm.transfer = TRACE  # the short form says the same

The form is that part of a log4cplus configuration that such a file should hold: it sets how much
*named* loggers say. Where the records go, and the root level, is not its business: in the
original such lines take the outputs away that the server has made, here they are refused.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel
from objects.component.loggers import known_loggers

log = logging.getLogger(__name__)

FIELD = "log_properties"

_PREFIX = "log4cplus.logger."
_ELSEWHERE = re.compile(
    r"log4cplus\.(rootLogger|appender|additivity|additiv|threshold|configDebug)"
)
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*")

_OFF = logging.CRITICAL + 10
_OTHER_NAMES = {
    "FATAL": logging.CRITICAL,
    "WARN": logging.WARNING,
    "ALL": LEVEL_NUMBERS[LogLevel.TRACE],
    "OFF": _OFF,
    "INHERIT": logging.NOTSET,
}


def apply_log_properties(path: Path) -> None:
    """Set the levels that a file says.

    Raises:
        BadParam: The file cannot be read, or a line of it is wrong; nothing is changed.
    """
    levels = read_log_properties(path)
    known = known_loggers()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
        if not any(each == name or each.startswith(f"{name}.") for each in known):
            log.warning("%s: nothing has been logged under %s yet: is it mistyped?", path, name)


def read_log_properties(path: Path) -> dict[str, int]:
    """Return the levels of the loggers that a file names.

    Raises:
        BadParam: The file cannot be read, or a line of it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadParam(
            f"{path} cannot be read: {error}",
            field=FIELD,
            cause="it is missing, is no text, or may not be read",
            remedy="give the path of a text file, or leave log_properties out",
        ) from error
    levels: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{path}, line {number}"
        if (entry := _entry(line, where)) is not None:
            _refuse_twice(entry[0], levels, where)
            levels[entry[0]] = entry[1]
    return levels


def _entry(line: str, where: str) -> tuple[str, int] | None:
    """Read a line; a remark says nothing."""
    told = line.partition("#")[0].strip()
    if not told:
        return None
    key, equals, value = (part.strip() for part in told.partition("="))
    if _ELSEWHERE.match(key):
        raise _wrong(
            where,
            f"{key} is not set here",
            "leave the line out: the root level is the option --log-level or the setting log_level; "
            "records go to stderr, to the log service, and to a file below $DAQ_LOGS",
        )
    name = key.removeprefix(_PREFIX)
    if not equals or _NAME.fullmatch(name) is None:
        raise _wrong(
            where, f"{told!r} is not of the form LOGGER = LEVEL", f"write {_PREFIX}NAME = LEVEL"
        )
    return name, _level(value, where)


def _level(text: str, where: str) -> int:
    levels = {str(level): number for level, number in LEVEL_NUMBERS.items()} | _OTHER_NAMES
    if "," in text:
        raise _wrong(
            where,
            f"{text!r} names an output behind the level",
            "give the level alone; outputs are fixed",
        )
    if text.upper() not in levels:
        raise _wrong(where, f"there is no level {text!r}", f"take one of {', '.join(levels)}")
    return levels[text.upper()]


def _refuse_twice(name: str, levels: dict[str, int], where: str) -> None:
    if name in levels:
        raise _wrong(where, f"{name} has a level already", "leave one of the two lines out")


def _wrong(where: str, what: str, remedy: str) -> BadParam:
    return BadParam(f"{where}: {what}", field=FIELD, remedy=remedy)
