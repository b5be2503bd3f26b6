"""The page of the event channel: its consumers, and what else holds values."""

from __future__ import annotations

from rich.console import RenderableType
from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, joined, plain_table
from controller.dashboard.page import Page, hints
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.text import size
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import ConsumerState, ConsumerStats

_ROOMY = 110
"""From this width on a consumer has one line."""


def draw_channel(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Draw the page so that it fills a size."""
    inner = width - 2 * FRAME
    lower = 3 + FRAME
    body = Layout()
    body.split_column(
        framed(_channel_title(snapshot), _consumers(snapshot, inner, height - lower - FRAME)),
        framed("database, project", _stores(snapshot, inner), lower, hint=hints(Page.CHANNEL)),
    )
    return body


def _channel_title(snapshot: Snapshot) -> str:
    channel = snapshot.channel
    if channel is None:
        return "event channel"
    title = f"event channel: {channel.events} events, {channel.events_per_s:.1f}/s, "
    title += f"{size(channel.held_bytes)} held"
    if channel.journal is None:
        return f"{title}, no journal"
    state = "" if channel.journal.is_writable else " NOT WRITABLE"
    return f"{title}, journal {size(channel.journal.bytes)}{state}"


def _consumers(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    if snapshot.channel is None or not snapshot.channel.readers:
        return Text("no consumer is connected", style="dim")
    # Those that lost something or lag behind stand first.
    ordered = sorted(snapshot.channel.readers, key=lambda c: (-c.dropped, -c.waiting, c.name))
    if width < _ROOMY:
        return _consumer_lines(ordered, width, rows)
    table = plain_table(width)
    table.add_column("consumer", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("state", width=13, no_wrap=True)
    for title in ("waiting", "lag", "dropped"):
        table.add_column(title, width=8, justify="right", no_wrap=True)
    table.add_column("effective quality of service", ratio=4, no_wrap=True, overflow="ellipsis")
    return fill(table, [_consumer_cells(each) for each in ordered], rows)


def _consumer_lines(ordered: list[ConsumerStats], width: int, rows: int) -> Text:
    """Give each consumer two lines: how it stands, and its quality of service."""
    lines = []
    fitting = ordered if 2 * len(ordered) <= rows else ordered[: max((rows - 1) // 2, 1)]
    for each in fitting:
        name, state, waiting, lag, dropped, qos = _consumer_cells(each)
        name.truncate(width - 50, pad=True)
        state.truncate(13, pad=True)
        figures = (waiting, " waiting, ", lag, " lag, ", dropped, " dropped")
        lines += [Text.assemble(name, " ", state, " ", *figures), Text("  ").append_text(qos)]
    if len(fitting) < len(ordered):
        lines.append(Text(f"and {len(ordered) - len(fitting)} more", style="dim"))
    return joined(lines[: max(rows, 1)], width)


def _consumer_cells(each: ConsumerStats) -> tuple[Text, ...]:
    state = each.state.value + (" *" if each.durable else "")
    style = "green" if each.state is ConsumerState.READING else "bold red"
    return (
        Text(each.name, style="bold"),
        Text(state, style="dim" if each.state is ConsumerState.AWAY else style),
        Text(str(each.waiting)),
        Text(str(each.lag), style="dim"),
        Text(str(each.dropped), style="bold red" if each.dropped else "dim"),
        Text(qos_text(each.qos), style="dim"),
    )


def qos_text(qos: QoS) -> str:
    """Say a quality of service in few words."""
    said = f"{qos.overflow}, {qos.max_queue} or {size(qos.max_bytes)}"
    if qos.block_s:
        said += f", blocks {qos.block_s:g} s"
    return f"{said}, {qos.order}, lease {qos.lease_s:g} s"


def _stores(snapshot: Snapshot, width: int) -> Text:
    oldb, project = snapshot.oldb, snapshot.project
    lines = [Text("the online database was not reached", style="dim")]
    if oldb is not None:
        mirror = f", mirror {oldb.mirror}, {oldb.mirror_behind} behind" if oldb.mirror else ""
        said = f"online database: {oldb.keys} keys, {size(oldb.bytes)}{mirror}"
        lines = [Text(said), Text(oldb.problem, style="bold red")]
    if project is not None:
        words = [project.project or "no project", project.operator, project.flight]
        words += [f"{name} {text}" for name, text in sorted(project.context.items())]
        lines.insert(1, Text(f"project: {', '.join(filter(None, words))}"))
    return joined(lines, width)
