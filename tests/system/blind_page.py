"""The result of many kills as a text."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from tests.system.blind_arena import Kill
from tests.system.blind_taps import Comparison


def text_of(
    kills: Iterable[tuple[str, Kill]],
    journal: dict[str, list[Comparison]],
    memory: dict[str, list[Comparison]],
) -> str:
    """Return a line for each kind of kill and for each consumer; seconds."""
    groups: dict[tuple[str, str], list[Kill]] = {}
    for title, kill in kills:
        groups.setdefault((kill.victim, title), []).append(kill)
    lines = [
        "Blind time: kill -9, and how long (s) until all concerned know it, and, from the",
        "restart on, until all have what was published after it. median / longest",
        "",
        f"{'killed':<14}{'channel keeps':<15}{'kills':>6}  {'known':>14}  {'whole':>14}  {'machine busy':>14}",
        *(_line(victim, title, each) for (victim, title), each in groups.items()),
        "",
        f"{'consumer':<10}{'of':<8}{'channel keeps':<15}{'published':>10}{'lost':>8}{'twice':>8}",
        *_sums("journal", journal),
        *_sums("memory", memory),
    ]
    return "\n".join(lines) + "\n"


def _line(victim: str, title: str, kills: list[Kill]) -> str:
    known = _figures([kill.known_s for kill in kills])
    whole = _figures([kill.whole_s for kill in kills])
    if not any(kill.known_s for kill in kills):
        known = "nobody blind"
    return f"{victim:<14}{title:<15}{len(kills):>6}  {known:>14}  {whole:>14}  {_figures([kill.noise_s for kill in kills]):>14}"


def _figures(values: list[float]) -> str:
    return f"{median(values):.2f} / {max(values):.2f}"


def _sums(title: str, found: dict[str, list[Comparison]]) -> list[str]:
    return [
        f"{reader:<10}{each.source.removeprefix('obs/'):<8}{title:<15}"
        f"{each.published:>10}{len(each.lost):>8}{len(each.repeated):>8}"
        for reader, several in found.items()
        for each in several
    ]
