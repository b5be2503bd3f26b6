"""Outcomes as a table, and the table of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.hostile.arena import Outcome
from tests.hostile.attack import Attack

_FORM = "{:<36} {:>10} {:>10} {:>6} {:>10} {:>8}  {}"


def text_of(outcomes: Sequence[Outcome]) -> str:
    """Return one line for each outcome."""
    lines = [
        _FORM.format("attack", "before ms", "during ms", "ratio", "connect s", "MB", "answers")
    ]
    for each in outcomes:
        answers = ", ".join(f"{word} {count}" for word, count in sorted(each.answers.items()))
        lines.append(
            _FORM.format(
                each.name,
                f"{each.before_ms:.2f}",
                f"{each.during_ms:.2f}",
                f"{each.ratio:.2f}",
                f"{each.connect_s:.3f}",
                f"{each.grown_mb:.0f}",
                answers,
            )
        )
    return "\n".join(lines) + "\n"


def rows_of(attacks: Iterable[Attack]) -> list[str]:
    """Return the rows of the documentation."""
    return [f"| {each.name} | {each.does} | {each.answer} |" for each in attacks]
