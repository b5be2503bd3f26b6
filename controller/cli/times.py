"""Moments as people type them: ISO-8601, or an age before now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_time(text: str, now: datetime, option: str) -> datetime | None:
    """Read a moment; empty: None. A time without a zone is UTC.

    Raises:
        typer.BadParameter: It is neither a time nor an age.
    """
    if not text:
        return None
    try:
        if age := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[age[2]]: float(age[1])})
        moment = datetime.fromisoformat(text)
    except OverflowError as error:  # both by timedelta and by the subtraction
        message = f"{option}: {text!r} is before the year 1"
        raise typer.BadParameter(message) from error
    except ValueError as error:
        message = f"{option}: {text!r} is neither an ISO-8601 time nor an age such as 10m"
        raise typer.BadParameter(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
