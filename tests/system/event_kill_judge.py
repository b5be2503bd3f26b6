"""What must be true after logger, senders, run control and channel were killed under load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from idl_like_interfaces.event_logger import FileKind
from idl_like_interfaces.run_control import Phase, Run, Verdict, WriterPhase
from tests.system.event_kill_arena import FORGETFUL, STREAMS, VICTIMS, Arena
from tests.system.event_kill_files import Contents, Found, read_events
from tests.system.event_kill_taps import Tap, made, read_tap


class Judge:
    """Looks at the files of a run that has ended, and at what the senders say that they sent.

    Args:
        arena: Whose run has ended.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.run: Run = arena.ended()
        folder = arena.run_folder
        self.files = [read_events(path) for path in sorted(folder.glob("*.raw"))]
        self._left = sorted(folder.glob("*.part"))
        self.taps = {name: read_tap(path) for name, path in arena.taps.items()}

    def faults(self) -> list[str]:
        """Return what must not be."""
        found = [f"{name} has died by itself" for name in self._arena.deaths]
        found += [f"{path.name} was not closed" for path in self._left]
        found += [fault for file in self.files for fault in _faults_of_file(file)]
        copies: dict[int, dict[str, list[Found]]] = {}
        for file in self.files:
            stream = str(file.header.get("stream", {}).get("name", "?"))
            for event in file.events:
                copies.setdefault(event.event, {}).setdefault(stream, []).append(event)
        for name, tap in self.taps.items():
            found += self._faults_of_sender(name, tap, copies)
        known = {event for tap in self.taps.values() for event in tap.sent()}
        found += [f"event {event} was never sent" for event in sorted(copies.keys() - known)[:10]]
        return [*found, *self._faults_of_run(copies), *self._scattered()]

    def _faults_of_sender(
        self, name: str, tap: Tap, copies: dict[int, dict[str, list[Found]]]
    ) -> list[str]:
        found: list[str] = []
        for start in tap.starts:
            for place, (event, lbn) in enumerate(start.events):
                wanted, streams = made(tap.seed, self.run.run, event, lbn), copies.get(event, {})
                # Who lived to its end has handed everything over; else what it was told.
                must_be = start.has_ended or place < max(start.durable, start.kept)
                if must_be and set(streams) != {STREAMS[each] for each in wanted.streams}:
                    wrong = f"is in {sorted(streams)}, it was sent to {wanted.streams}"
                    found.append(f"{name}: event {event} {wrong}")
                several = [stream for stream, each in streams.items() if len(each) > 1]
                found += [f"{name}: event {event} is twice in {each}" for each in several]
                strange = [e for each in streams.values() for e in each if not wanted.is_in(e)]
                found += [f"{name}: event {event} is not what was sent" for _ in strange]
        return found

    def _faults_of_run(self, copies: dict[int, dict[str, list[Found]]]) -> list[str]:
        run, found = self.run, []
        if run.phase is not Phase.ENDED:
            found.append(f"the run has not ended: {run.phase}")
        if any(each.phase is not WriterPhase.CONFIRMED for each in run.writers):
            found.append(f"not confirmed: {[(w.name, w.phase, w.problem) for w in run.writers]}")
        if run.events != len(copies):
            found.append(f"run control counts {run.events} events, {len(copies)} are there")
        has_lost = any(not each.has_ended for each in self.taps[FORGETFUL].starts)
        if not has_lost and run.verdict is not Verdict.GOOD:
            found.append(f"nothing is missing, and the run is {run.verdict}: {run.missing}")
        told = {Path(file.path).name: file for each in run.writers for file in each.files}
        there = {each.path.name: len(each.events) for each in self.files}
        if {name: file.events for name, file in told.items()} != there:
            found.append(f"confirmed are {sorted(told)}, there are {sorted(there)}")
        return found

    def _scattered(self) -> list[str]:
        """Find luminosity blocks of a stream that are in more than one file."""
        places: dict[tuple[str, int], set[str]] = {}
        for file in self.files:
            if file.header.get("kind") == FileKind.EVENTS.value:
                stream = str(file.header["stream"]["name"])
                for lbn in {each.lbn for each in file.events}:
                    places.setdefault((stream, lbn), set()).add(file.path.name)
        return [f"{key} is in {sorted(each)}" for key, each in places.items() if len(each) > 1]

    def page(self) -> str:
        """Return the figures as a text."""
        lines = [
            "Logger, senders, run control and event channel killed with -9 at random moments of a run.",
            "back: from the kill until it serves again (s), median / longest",
            "",
            f"{'killed':<12}{'kills':>7}{'back':>16}",
            *(self._line(victim) for victim in VICTIMS),
            "",
            f"{'sender':<10}{'starts':>8}{'sent':>9}{'told durable':>14}{'in files':>10}",
            *(self._sender_line(name) for name in self.taps),
            "",
            f"files: {len(self.files)}, records: {sum(len(each.events) for each in self.files)}",
            f"the run is {self.run.verdict}; run control counts {self.run.events} events",
            f"cut off after kills: {self._cut()}",
        ]
        return "\n".join(lines) + "\n"

    def _line(self, victim: str) -> str:
        times = [each.back_s for each in self._arena.kills if each.victim == victim]
        figures = f"{median(times):.2f} / {max(times):.2f}" if times else "-"
        return f"{victim:<12}{len(times):>7}{figures:>16}"

    def _sender_line(self, name: str) -> str:
        tap = self.taps[name]
        events = {event for file in self.files for event in (each.event for each in file.events)}
        sent = tap.sent()
        durable = sum(min(each.durable, len(each.events)) for each in tap.starts)
        return f"{name:<10}{len(tap.starts):>8}{len(sent):>9}{durable:>14}{len(events & sent):>10}"

    def _cut(self) -> str:
        said = Counter(_recovered(each) for each in self.files)
        del said[False]
        return f"{said[True]} files" if said else "nothing"


def _recovered(file: Contents) -> bool:
    return bool(file.trailer.get("summary", {}).get("recovered"))


def _faults_of_file(file: Contents) -> Iterable[str]:
    yield from file.faults
    if not file.trailer:
        yield f"{file.path.name} has no trailer"
    elif file.trailer["summary"]["events"] != len(file.events):
        told = file.trailer["summary"]["events"]
        yield f"{file.path.name} has {len(file.events)} events, its trailer says {told}"
