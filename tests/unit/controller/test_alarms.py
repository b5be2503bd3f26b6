"""``obsorb alarms`` against the real service."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
import typer
from rich.console import Console
from rich.text import Text
from typing_extensions import override

from controller.cli import alarms_watch
from controller.cli.alarms_options import parse_span
from controller.cli.alarms_text import age, alarm_lines, history_lines
from controller.cli.alarms_watch import screen
from controller.cli.session import Session
from controller.cli.styled import Styled
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmFilter,
    AlarmService,
    AlarmState,
    Change,
    Column,
    Overview,
    Severity,
)
from idl_like_interfaces.clients.monitor import Monitor
from idl_like_interfaces.clients.troubles import Trouble
from idl_like_interfaces.errors import Transient
from nameserver.client import Names, Offer, Registration
from objects.alarms.servant import AlarmServiceServant
from tests.support.alarms import NIGHT, AlarmBench, clear, report
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, obsorb, ok, refused


@contextmanager
def served(small: SmallInstallation, folder: Path) -> Iterator[AlarmBench]:
    """Yield an alarm service that is found by its name."""
    with AlarmBench(folder / "alarms") as bench:
        uri = small.adapter.activate(bench.servant, AlarmService, "obs/alarms")
        offer = Offer(name="obs/alarms", uri=uri, interface=AlarmService)
        registration = Registration(small.names, "alarms", [offer], {}, term_s=600.0)
        registration.claim()
        yield bench
        registration.release()


def with_three(bench: AlarmBench) -> AlarmBench:
    """Have three alarms, of which one is good again."""
    bench.say(
        report("disk full", severity=Severity.FATAL),
        report("fan broken", subsystem="cooling"),
        report("door open", severity=Severity.WARNING),
    )
    bench.wait(1.0)
    bench.say(clear("door open"))
    return bench


@pytest.fixture
def bench(small: SmallInstallation, tmp_path: Path) -> Iterator[AlarmBench]:
    with served(small, tmp_path) as bench:
        yield bench


@pytest.fixture
def three(bench: AlarmBench) -> AlarmBench:
    return with_three(bench)


def names(*arguments: str) -> set[str]:
    """Return the names of the alarms that a command prints."""
    return {each["report"]["name"] for each in document("alarms", *arguments)}


def test_list_says_cause_and_remedy_of_each(three: AlarmBench) -> None:
    """The worst first; what is good again only on request."""
    text = ok("alarms", "list")
    assert text.index("disk full") < text.index("fan broken")
    assert text.count("cause:  many products") == text.count("remedy: remove some") == 2
    assert "door open" not in text
    assert "door open" in ok("alarms", "list", "--good")
    assert "door open" in ok("alarms", "list", "--column", "good")


def test_nothing_wrong_is_said(bench: AlarmBench) -> None:
    """Silence would be no answer."""
    assert ok("alarms", "list") == "nothing is wrong\n"
    assert "nothing is wrong" in ok("alarms", "overview")
    assert document("alarms", "list") == []


FILTERS: list[tuple[list[str], set[str]]] = [
    (["--name", "disk*"], {"disk full"}),
    (["--name", "!disk*"], {"fan broken"}),
    (["--severity", "FATAL"], {"disk full"}),
    (["--subsystem", "cool*"], {"fan broken"}),
    (["--object", "obs/d?m"], {"disk full", "fan broken"}),
    (["--system", "north"], set()),
    (["--attribute", "rate"], set()),
    (["--subsystem", "cool*", "--not"], {"disk full", "door open"}),
]


@pytest.mark.spec("D58")
def test_filters_choose(three: AlarmBench) -> None:
    """Each by itself."""
    for options, wanted in FILTERS:
        assert names("list", *options) == wanted, options


def test_ack_and_unack_by_number_and_by_filter(three: AlarmBench) -> None:
    """Who did it, and what he said, is seen."""
    said = ok("alarms", "ack", "1", "--by", "anna", "--comment", "on my way")
    assert said == "     1  obs/dpm: disk full is acknowledged\n"
    assert "acknowledged by anna: on my way" in ok("alarms", "list", "--name", "disk*")
    assert names("ack", "--all") == {"fan broken"}
    assert names("unack", "--name", "disk*") == {"disk full"}
    assert three.alarm("disk full").state is AlarmState.RAISED
    assert "there are none" in ok("alarms", "ack", "--name", "nothing")


def test_shelve_unshelve_and_clear(three: AlarmBench) -> None:
    """With reason and time."""
    ok("alarms", "shelve", "2", "--reason", "spare part ordered", "--for", "2h", "--by", "otto")
    until = three.alarm("fan broken").until
    assert until is not None
    assert until - three.clock.utc() == timedelta(hours=2)
    assert "shelved by otto until 2026-01-02 05:04" in ok("alarms", "show", "2")
    ok("alarms", "unshelve", "--all")
    assert three.alarm("fan broken").state is AlarmState.RAISED
    ok("alarms", "clear", "2", "--comment", "taken out")
    assert three.alarm("fan broken").column is Column.GOOD


REFUSED: list[tuple[list[str], int, str]] = [
    (["ack", "4711"], 1, "there is no alarm 4711"),
    (["ack", "3"], 1, "cannot be acknowledged"),
    (["unack", "1"], 1, "nobody has acknowledged it"),
    (["unshelve", "1"], 1, "it is not shelved"),
    (["show", "1", "4711"], 1, "there is no alarm 4711"),
    (["shelve", "1", "--reason", "x", "--for", "8d"], 1, "a week"),
    (["shelve", "1", "--reason", " "], 1, "say why"),
    (["list", "--name", "!"], 1, "no pattern"),
    (["ack"], 2, "either numbers"),
    (["ack", "1", "--all"], 2, "either numbers"),
    (["ack", "one"], 2, "valid integer"),
    (["shelve", "1"], 2, "--reason"),
    (["shelve", "1", "--reason", "x", "--for", "soon"], 2, "no time span"),
    (["list", "--severity", "terrible"], 2, "terrible"),
    (["history", "--since", "soon"], 2, "soon"),
]


def test_what_cannot_be_done_is_refused(three: AlarmBench) -> None:
    """With an exit code, and in words."""
    for arguments, code, said in REFUSED:
        assert said in " ".join(refused("alarms", *arguments, code=code).split()), arguments


def test_history_is_found(three: AlarmBench) -> None:
    """By what happened, when, to which, and by text."""
    three.servant.note("obs/run", "run 7 begins")
    assert "noted by obs/run: run 7 begins" in ok("alarms", "history")
    changes = [each["change"] for each in document("alarms", "history", "--change", "cleared")]
    assert changes == ["cleared"]
    assert len(document("alarms", "history", "--until", "2026-01-01")) == 0
    assert len(document("alarms", "history", "--name", "fan*")) == 1
    assert len(document("alarms", "history", "--text", "RUN 7", "--limit", "1")) == 1


def test_show_says_all(three: AlarmBench) -> None:
    """In the order in which they were asked for."""
    text = ok("alarms", "show", "2", "1")
    assert text.index("fan broken") < text.index("disk full")
    for fact in ("source: obs/dpm", "subsystem: cooling", "raised: 2026-01-02 03:04:05 UTC"):
        assert fact in text


def test_stats_say_how_much_there_is_to_do(three: AlarmBench) -> None:
    """As text and as JSON."""
    text = ok("alarms", "stats")
    assert "2 bad, 0 acknowledged, 1 good" in text
    assert "3 in the last 10 minutes" in text
    assert document("alarms", "stats")["columns"]["bad"] == 2


def test_a_flood_has_few_lines(bench: AlarmBench) -> None:
    """A thousand alarms fit on a small terminal."""
    for crate in range(5):
        bench.say(*(report(f"channel {n}", object=f"crate {crate}") for n in range(200)))
    bench.wait(1.0)
    text = ok("alarms", "overview")
    assert len(text.splitlines()) <= 11
    assert "1000 x" in text
    assert "there may be more" in ok("alarms", "list", "--limit", "5")
    assert len(document("alarms", "overview", "--lines", "3")["lines"]) <= 3


def test_follow_prints_what_stands_and_what_comes(
    three: AlarmBench, small: SmallInstallation
) -> None:
    """One document for each change, until the command is interrupted."""
    alarm = three.alarm("fan broken")

    def later() -> None:
        three.servant.acknowledge([alarm.alarm_id], "anna")
        small.publish("alarms/changed", three.alarm("fan broken"))

    printed = alarms_watch._print_alarms
    rounds = 0

    def spy(session: object, alarms: object) -> None:
        nonlocal rounds
        rounds += 1
        printed(session, alarms)  # type: ignore[arg-type]
        if rounds == 1:
            threading.Timer(0.1, later).start()
        if rounds == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alarms_watch, "_print_alarms", spy)
        result = obsorb("alarms", "list", "--follow", "--json")
    found = [json.loads(line)["state"] for line in result.stdout.splitlines()]
    assert found == ["raised", "raised", "acknowledged"]


@pytest.mark.spec("E37")
def test_watch_pops_errors_up_and_writes_all_down(
    three: AlarmBench, small: SmallInstallation, tmp_path: Path
) -> None:
    """Of the channels that were named; it ends after so many."""
    bad, good = three.alarm("disk full"), three.alarm("door open")
    file = tmp_path / "all.jsonl"
    is_done = threading.Event()

    def speak() -> None:
        while not is_done.wait(0.1):  # the first may come before the command listens
            small.beat()
            small.publish("alarms/changed", good, bad)

    speaker = threading.Thread(target=speak)
    speaker.start()
    text = ok("alarms", "watch", "--channel", "obs/events", "--log", str(file), "--count", "1")
    is_done.set()
    speaker.join()
    assert "obs/events  obs/dpm: disk full: 3 MB are left" in text
    assert "remedy: remove some" in text
    topics = {json.loads(line)["topic"] for line in file.read_text().splitlines()}
    assert topics == {"component/heartbeat", "alarms/changed"}


@pytest.mark.parametrize("is_away", [True, False])
def test_the_screen_follows(three: AlarmBench, is_away: bool) -> None:
    """With a bell for what is new; also when the alarm service is away."""
    popups = alarms_watch._Popups(1)
    trouble = Trouble(channel="near", source="", severity=Severity.MAJOR, text="it hangs")

    class Service(AlarmServiceServant):
        """Answers, or not, while something pops up."""

        def __init__(self) -> None:
            """Have nothing of its own."""

        @override
        def overview(self, filter: AlarmFilter = AlarmFilter(), limit: int = 10) -> Overview:  # noqa: B008 (as declared)
            popups.take(trouble)
            popups.take(trouble)
            if is_away:
                raise Transient("nobody is there")
            return three.servant.overview(filter, limit)

    text = io.StringIO()
    console = Console(width=80, height=24, force_terminal=True, file=text)
    with Monitor({}, popups.take) as monitor:
        alarms_watch._watch_live(console, Service(), AlarmFilter(), monitor, popups)
    shown = text.getvalue()
    assert "\a" in shown
    assert "it hangs" in shown
    assert ("does not answer" in shown) is is_away
    assert ("disk full" in shown) is not is_away


def test_follow_goes_on_while_the_service_is_away(
    three: AlarmBench, small: SmallInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so once, and when it is back; nothing is missed."""
    rounds = iter([None, Transient("nobody is there"), Transient("nobody is there"), None])
    get_alarms = three.servant.get_alarms

    def get(filter: AlarmFilter, limit: int) -> list[Alarm]:
        small.beat()
        error = next(rounds, KeyboardInterrupt())
        if error is not None:
            raise error
        return get_alarms(filter, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(three.servant, "get_alarms", get)
        patch.setattr(alarms_watch, "_PERIOD_S", 0.01)
        patch.setattr(alarms_watch, "_LOOK_S", 0.01)
        names = cast("Names", FakeNames(three.servant, small.channel))
        with pytest.raises(KeyboardInterrupt):
            alarms_watch.follow(Session(), names, AlarmFilter())
    told = capsys.readouterr()
    assert told.err.count("does not answer") == told.err.count("answers again") == 1
    assert told.out.count("disk full") == 1


class FakeNames:
    """Has an alarm service and an event channel, whatever is asked for."""

    def __init__(self, service: AlarmServiceServant, channel: object) -> None:
        self._service = service
        self._channel = channel

    def narrow(self, name: str, interface: type) -> object:
        """Return the one that was meant."""
        return self._service if name.endswith("alarms") else self._channel


def test_watch_refuses_a_file_that_cannot_be_written(three: AlarmBench) -> None:
    """Before it watches."""
    assert "cannot be written" in refused("alarms", "watch", "--log", "/nowhere/all.jsonl")


@pytest.mark.parametrize(("wide", "high"), [(80, 24), (200, 50)])
def test_the_screen_fits(three: AlarmBench, wide: int, high: int) -> None:
    """Nothing is wrapped, the worst stands first, and errors are below."""
    trouble = Trouble(
        channel="obs/events",
        source="obs/dpm",
        severity=Severity.MAJOR,
        text="x" * 300,
        cause="c " * 200,
        remedy="look",
    )
    overview = three.servant.overview()
    lines = screen(overview, 20 * [(NIGHT, trouble)], None, three.clock.utc(), wide)[:high]
    assert len(lines) <= high
    assert all(len(line.text) <= wide for line in lines)
    assert "disk full" in lines[2].text
    console = Console(width=wide, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 (closed with the test)
    for line in lines:
        console.print(Text(line.text, style=line.style), no_wrap=True)
    assert "disk full" in console.export_text()
    console.file.close()


def test_the_screen_says_that_nobody_answers(three: AlarmBench) -> None:
    """Neither the alarm service nor a channel."""
    (line, *_) = [
        each for each in screen(None, [], None, NIGHT, 80) if "does not answer" in each.text
    ]
    assert line.style == "bold red"


def test_marks_of_an_alarm_are_said(bench: AlarmBench) -> None:
    """That it comes and goes, was a glitch, or that nobody knows."""
    bench.say(report("glitch"), clear("glitch"))
    text = "\n".join(each.text for each in alarm_lines(bench.alarm("glitch"), NIGHT, 80))
    assert "(glitch)" in text
    entry = bench.servant.history()[0]
    assert entry.change is Change.GLITCH
    (line,) = history_lines(entry)
    assert isinstance(line, Styled)
    assert line.style == "green"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (90_000, "1 d")]
)
def test_ages_are_short(seconds: int, said: str) -> None:
    """A few characters, whatever the clocks say."""
    assert age(NIGHT, NIGHT + timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)]
)
def test_spans_are_read(text: str, seconds: float) -> None:
    """Seconds when nothing else is said."""
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1w", "9" * 30 + "d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """As a usage error."""
    with pytest.raises(typer.BadParameter):
        parse_span(text)
