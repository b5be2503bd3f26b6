"""What the tests of one run say about the rows that they claim."""

from __future__ import annotations

from collections.abc import Iterable

_WORST_LAST = ("skipped", "passed", "failed")


class Outcomes:
    """The outcome of each row: broken by one failure, shown by one success."""

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}

    def note(self, row: str, phase: str | None, outcome: str) -> None:
        """Take the outcome of one phase of one test.

        Args:
            row: The row that the test claims.
            phase: ``setup``, ``call`` or ``teardown``; a success counts in ``call`` only.
            outcome: ``passed``, ``failed`` or ``skipped``.
        """
        if outcome == "passed" and phase != "call":
            return
        before = self._outcomes.get(row, "skipped")
        self._outcomes[row] = max(before, outcome, key=_WORST_LAST.index)

    def rows(self, outcome: str) -> list[str]:
        """Return the rows with an outcome, sorted."""
        return sorted(row for row, had in self._outcomes.items() if had == outcome)

    def summary(self) -> list[str]:
        """Return the lines for the end of a run; none when no row was claimed."""
        if not self._outcomes:
            return []
        lines = [f"specification rows: {len(self.rows('passed'))} shown"]
        lines += _named("broken", self.rows("failed"))
        lines += _named("only skipped", self.rows("skipped"))
        return lines


def _named(what: str, rows: Iterable[str]) -> list[str]:
    text = " ".join(rows)
    return [f"specification rows {what}: {text}"] if text else []
