"""Draws the curves of a kept result, and shows them with its table in the documentation.

``plots.py RESULT.json``; the same result always gives the same files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks import channel, clients
from benchmarks.curves import OURS, Curve, curves
from benchmarks.figures import Report
from benchmarks.page import write_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks"

# Okabe and Ito's colours, which all eyes tell apart; markers and dashes say it again.
_LOOKS = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-", "linewidth": 2.2},
    {"color": "#D55E00", "marker": "s", "linestyle": "--", "linewidth": 1.4},
    {"color": "#009E73", "marker": "^", "linestyle": "-.", "linewidth": 1.4},
    {"color": "#555555", "marker": "D", "linestyle": ":", "linewidth": 1.6},
)
_STYLE = {
    "svg.hashsalt": "obsorb",
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "axes.xmargin": 0.08,
}
_SPREAD = {"capsize": 2.5, "elinewidth": 0.7, "capthick": 0.7}
_WIDTH, _HEIGHT = 9.0, 4.0
_FROM_THOUSANDS = 10_000
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One diagram of a picture.

    Attributes:
        title: What is called or sent.
        lines: Its curves.
    """

    title: str
    lines: list[Curve]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Panels that share their axes.

    Attributes:
        name: Of the file.
        x: What the curves go over, with unit.
        y: What was measured, with unit.
        panels: From left to right.
        is_log: The values span decades.
        at: Writes a place on the axis.
    """

    name: str
    x: str
    y: str
    panels: list[Panel]
    is_log: bool = False
    at: Callable[[float], str] = "{:g}".format


def pictures(report: Report) -> list[Picture]:
    """Return what can be drawn of a report; a group that it does not have is left out."""
    every = [
        Picture(
            name="clients-rate",
            x="clients",
            y="calls of all, 1/s",
            panels=_of_clients(report, clients.CALLS, clients.SERVER),
        ),
        Picture(
            name="clients-p99",
            x="clients",
            y="99 % of the calls within, ms",
            panels=_of_clients(report, clients.P99, clients.SERVER_P99),
            is_log=True,
        ),
        Picture(
            name="octets",
            x="size of a message",
            y="throughput, MB/s",
            panels=[
                Panel(title=way, lines=curves(report, "octets", way))
                for way in ("to the object", "from the object")
            ],
            at=_size,
        ),
        Picture(
            name="channel",
            x="consumers",
            y="events to each consumer, 1/s",
            panels=[Panel(title="events of 100 bytes", lines=curves(report, channel.RATE))],
            is_log=True,
        ),
        Picture(
            name="channel-cost",
            x="consumers",
            y="processor time for each delivery, us",
            panels=[
                Panel(title="the server", lines=curves(report, channel.SERVER_COST)),
                Panel(title="all processes", lines=curves(report, channel.WHOLE_COST)),
            ],
            is_log=True,
        ),
    ]
    return [each for each in every if all(panel.lines for panel in each.panels)]


def _of_clients(report: Report, own: str, raw: str) -> list[Panel]:
    return [
        Panel(title="clients as programs have them", lines=curves(report, own)),
        Panel(title="the server alone", lines=curves(report, raw)),
    ]


def _size(octets: float) -> str:
    return f"{octets / _KIB:g} KiB"


def _thousands(value: float, _: object = None) -> str:
    text = f"{value:,.0f}" if value >= _FROM_THOUSANDS else f"{value:g}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def draw(picture: Picture, folder: Path) -> Path:
    """Write a picture as SVG; return where."""
    path = folder / f"{picture.name}.svg"
    with mpl.rc_context(_STYLE):
        drawing = Drawing(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes = drawing.subplots(1, len(picture.panels), sharey=True, squeeze=False)[0]
        looks = _looks(picture.panels)
        for one, panel in zip(axes, picture.panels, strict=True):
            _draw_panel(one, panel, picture, looks)
        axes[0].set_ylabel(picture.y)
        if not picture.is_log:
            # For the shared axis, and not before all panels have widened it.
            axes[0].set_ylim(bottom=0)
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        # A date would make each file another one.
        drawing.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return path


def _looks(panels: Sequence[Panel]) -> dict[str, dict[str, Any]]:
    """Give each side the same look in all panels, ours the first."""
    labels = dict.fromkeys([OURS, *(line.label for panel in panels for line in panel.lines)])
    return {label: _LOOKS[number % len(_LOOKS)] for number, label in enumerate(labels)}


def _draw_panel(
    axes: Any, panel: Panel, picture: Picture, looks: dict[str, dict[str, Any]]
) -> None:
    for line in panel.lines:
        places = [at for at, _ in line.points]
        values = [value.median for _, value in line.points]
        below = [value.median - value.low for _, value in line.points]
        above = [value.high - value.median for _, value in line.points]
        axes.errorbar(
            places, values, (below, above), label=line.label, **_SPREAD, **looks[line.label]
        )
    places = sorted({at for line in panel.lines for at, _ in line.points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, [picture.at(at) for at in places])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(picture.x)
    axes.set_title(panel.title, fontsize="medium")
    if picture.is_log:
        axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(_thousands))


def main(arguments: list[str]) -> int:
    """Draw a kept result and write its page."""
    result = Path(arguments[0])
    report = msgspec.json.decode(result.read_bytes(), type=Report)
    FOLDER.mkdir(exist_ok=True)
    drawn = [draw(picture, FOLDER) for picture in pictures(report)]
    page = write_page(report, [path.name for path in drawn])
    for path in (*drawn, page):
        print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
