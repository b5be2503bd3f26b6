"""The spool on disk: what was published survives a kill -9, with its numbers."""

from __future__ import annotations

import logging
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.clients import EventConsumer, EventSupplier
from idl_like_interfaces.clients import disk_spool as disk_spool_module
from idl_like_interfaces.clients.disk_spool import DiskSpool
from idl_like_interfaces.clients.parcels import Bounds
from idl_like_interfaces.clients.spool_file import Entry, Head, SpoolFile, read_spool_file
from idl_like_interfaces.events import Gap, GapReason, Priority
from objects.messaging.channel import EventChannelServant
from tests.support.peers import PATIENCE_S
from tests.unit.clients.test_events import Line, as_channel, bodies, read_until

HEAD = Head("obs/a", "i1", 1)


def bounds(spool_items: int = 1000, spool_bytes: int = 10_000_000, batch_items: int = 5) -> Bounds:
    """Return bounds of a small spool."""
    return Bounds(
        spool_items=spool_items,
        spool_bytes=spool_bytes,
        batch_items=batch_items,
        batch_bytes=1000,
        window_s=0.001,
    )


def spool(folder: Path, incarnation: str = "i1", limits: Bounds | None = None) -> DiskSpool:
    """Open the spool of a source."""
    return DiskSpool(folder, "obs/a", incarnation, limits or bounds())


def entry(number: int, size: int = 3) -> Entry:
    """Return an event that says its number."""
    return ("t", str(number).zfill(size).encode())


def left_by_kill(folder: Path) -> Path:
    """Return what is on disk at this moment, as a killed process would leave it."""
    copy = folder.with_name(f"{folder.name}-left")
    shutil.copytree(folder, copy)
    return copy


def told(found: DiskSpool) -> list[tuple[str, int, list[bytes], int]]:
    """Say each inherited parcel: whose, from which number on, what, how many lost before."""
    return [
        (each.incarnation, each.first, [record for _, record in each.items], each.lost)
        for each in found.heritage
    ]


@contextmanager
def longest_file(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: to who writes it is a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(folder: Path) -> list[str]:
    """Return the names of the files with events."""
    return sorted(path.name for path in folder.rglob("*.events"))


def test_what_was_not_acknowledged_is_inherited_with_its_numbers(tmp_path: Path) -> None:
    """In parcels of the bounds, under the incarnation of the start that has published it."""
    with closing(spool(tmp_path / "a")) as first:
        for number in range(1, 9):
            first.append(entry(number))
        first.acknowledge("i1", 2)
        left = left_by_kill(tmp_path / "a")
    with closing(spool(left, "i2")) as second:
        assert told(second) == [
            ("i1", 3, [b"003", b"004", b"005", b"006", b"007"], 0),
            ("i1", 8, [b"008"], 0),
        ]


def test_what_was_inherited_and_acknowledged_is_gone(tmp_path: Path) -> None:
    """Two starts may have left something; each file goes when it is not needed."""
    with closing(spool(tmp_path / "a")) as first:
        first.append(entry(1))
        left = left_by_kill(tmp_path / "a")
    with closing(spool(left, "i2")) as second:
        second.append(entry(1))
        second.acknowledge("i1", 1)
        assert len(files(left)) == 1
        again = left_by_kill(left)
    with closing(spool(again, "i3")) as third:
        assert told(third) == [("i2", 1, [b"001"], 0)]


def test_a_spool_that_is_empty_leaves_no_files(tmp_path: Path) -> None:
    """At a close after which nothing is to be sent."""
    with closing(spool(tmp_path)) as first:
        first.append(entry(1))
        first.acknowledge("i1", 1)
    assert files(tmp_path) == []


def test_priorities_are_kept(tmp_path: Path) -> None:
    """They are beside the topic."""
    with closing(spool(tmp_path / "a")) as first:
        first.append((("alarm", Priority.HIGH), b"x"))
        left = left_by_kill(tmp_path / "a")
    with closing(spool(left, "i2")) as second:
        assert second.heritage[0].items == [(("alarm", Priority.HIGH), b"x")]


def test_an_event_that_was_being_written_is_cut(tmp_path: Path) -> None:
    """Its publish had not returned; those before it are whole."""
    with closing(spool(tmp_path / "a")) as first:
        first.append(entry(1))
        first.append(entry(2))
        left = left_by_kill(tmp_path / "a")
    (path,) = left.rglob("*.events")
    path.write_bytes(path.read_bytes()[:-1])
    with closing(spool(left, "i2")) as second:
        assert told(second) == [("i1", 1, [b"001"], 0)]
    assert not list(left.rglob("*.damaged"))


def test_damage_is_said_and_the_file_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What stands before it is sent."""
    with closing(spool(tmp_path / "a")) as first:
        for number in (1, 2, 3):
            first.append(entry(number))
        left = left_by_kill(tmp_path / "a")
    (path,) = left.rglob("*.events")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"002", b"0x2"))
    with closing(spool(left, "i2")) as second:
        assert told(second) == [("i1", 1, [b"001"], 0)]
    assert len(list(left.rglob("*.damaged"))) == 1
    assert "damaged" in caplog.text


def test_a_file_without_head_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It stands in nobody's way."""
    folder = tmp_path / "obs%2Fa"
    folder.mkdir()
    (folder / "000000000001.events").write_bytes(b"OBSP")
    with closing(spool(tmp_path, "i2")) as second:
        assert second.heritage == []
        assert second.problem == ""
        second.append(entry(1))
    assert [path.name for path in folder.glob("*.damaged")] == ["000000000001.damaged"]
    assert "put aside" in caplog.text


def test_it_is_bounded_and_says_what_had_to_go(tmp_path: Path) -> None:
    """The oldest files go; the first parcel that is left tells how many events are lost."""
    with closing(spool(tmp_path / "a", limits=bounds(spool_items=100))) as first:
        for number in range(1, 301):
            first.append(entry(number))
        left = left_by_kill(tmp_path / "a")
    with closing(spool(left, "i2")) as second:
        parcels = told(second)
        assert parcels[-1][1] + len(parcels[-1][2]) - 1 == 300
        assert sum(len(parcel[2]) for parcel in parcels) <= 100 + 6
        assert sum(parcel[3] for parcel in parcels) == parcels[0][1] - 1 == parcels[0][3]


def test_a_full_disk_is_said_and_events_go_on_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is room again they are on disk again; a number says what is not."""
    monkeypatch.setattr(disk_spool_module, "_RETRY_S", 0.0)
    with closing(spool(tmp_path / "a")) as first:
        first.append(entry(1))
        with longest_file(150):
            for number in range(2, 5):
                first.append(entry(number, 200))
            assert "File too large" in first.problem
        first.append(entry(5))
        assert first.problem == ""
        left = left_by_kill(tmp_path / "a")
    assert caplog.text.count("takes nothing") == 1
    with closing(spool(left, "i2")) as second:
        assert told(second) == [("i1", 1, [b"001"], 0), ("i1", 5, [b"005"], 3)]


def test_a_folder_that_another_process_uses_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its events are not sent by somebody else, and nothing is written into it."""
    with closing(spool(tmp_path)) as first, closing(spool(tmp_path, "i2")) as second:
        first.append(entry(1))
        second.append(entry(1))
        assert "another process" in second.problem
        assert second.heritage == []
        assert len(files(tmp_path)) == 1
    assert "events are in memory only" in caplog.text


def test_a_forked_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    """It may outlive who was killed; the next start has its spool all the same."""
    first = spool(tmp_path)
    first.append(entry(1))
    (inner, outer), (ready, is_ready) = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        first.append(entry(2))
        os.close(outer)
        os.write(is_ready, b"x")
        os.read(inner, 1)
        os._exit(0)
    try:
        assert os.read(ready, 1)
        first.close()
        with closing(spool(tmp_path, "i2")) as second:
            assert second.problem == ""
            assert told(second) == [("i1", 1, [b"001"], 0)]
    finally:
        for end in (inner, outer, ready, is_ready):
            os.close(end)
        os.waitpid(child, 0)


def test_sources_share_a_folder(tmp_path: Path) -> None:
    """Each has its own within it."""
    with closing(spool(tmp_path)), closing(DiskSpool(tmp_path, "obs/b", "i1", bounds())) as other:
        assert other.problem == ""


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(["a", "größe/b"]),
                st.tuples(st.just("a"), st.sampled_from(Priority)),
            ),
            st.binary(max_size=40),
        ),
        max_size=8,
    ),
    st.integers(min_value=0, max_value=200),
)
def test_a_cut_file_holds_the_first_events(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], cut: int
) -> None:
    """Wherever it is cut behind its head, what is read is a beginning of what was written."""
    path = tmp_path_factory.mktemp("cut") / "1.events"
    made = SpoolFile.create(path, HEAD, 0)
    begin = made.size
    for each in entries:
        made.append(each)
    made.seal()
    path.write_bytes(path.read_bytes()[: max(begin, made.size - cut)])
    found = read_spool_file(path)
    plain = [_plain(each) for each in entries]
    assert [_plain(each) for each in found.entries] == plain[: len(found.entries)]
    assert not found.is_damaged
    assert cut or len(found.entries) == len(entries)


def _plain(each: Entry) -> Entry:
    key, record = each
    is_normal = not isinstance(key, str) and key[1] is Priority.NORMAL
    return (key[0] if is_normal else key, record)


def test_a_supplier_that_dies_and_returns_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """What the dead one had published comes first, under its own incarnation and numbers."""
    channel = EventChannelServant("now")
    line = Line(channel)
    dead = EventSupplier(as_channel(line), "obs/a", "i1", spool=tmp_path / "a")
    dead.publish("t", 1)
    assert dead.flush(PATIENCE_S)
    line.channel = None
    dead.publish("t", 2)
    dead.publish("t", 3, priority=Priority.HIGH)
    left = left_by_kill(tmp_path / "a")
    alive = EventSupplier(channel, "obs/a", "i2", spool=left)
    alive.publish("t", 4)
    assert alive.flush(PATIENCE_S)
    with EventConsumer(channel, ["**"], name="reader", cursor="oldest") as consumer:
        items = read_until(consumer, 4)
    assert bodies(items) == [1, 2, 3, 4]
    stats = channel.get_stats().suppliers
    assert [(each.incarnation, each.accepted, each.duplicates) for each in stats] == [
        ("i1", 3, 0),
        ("i2", 1, 0),
    ]
    accounts = {each.incarnation: each for each in alive.accounts()}
    assert (accounts["i1"].taken, accounts["i1"].passed, accounts["i1"].in_flight) == (3, 3, 0)
    assert accounts["i2"].passed == 1
    assert alive.close()
    dead.close(0.01)


def test_a_close_before_all_is_sent_leaves_the_rest_for_the_next_start(tmp_path: Path) -> None:
    """It is no loss: the account shows it in flight."""
    gone = EventSupplier(as_channel(Line(None)), "obs/a", "i1", spool=tmp_path)
    gone.publish("t", 1)
    assert not gone.close(0.05)
    (account,) = gone.accounts()
    assert (account.in_flight, account.drops) == (1, [])
    channel = EventChannelServant("now")
    back = EventSupplier(channel, "obs/a", "i2", spool=tmp_path)
    assert back.close(PATIENCE_S)
    assert channel.get_stats().last == 1
    assert files(tmp_path) == []


def test_what_the_spool_had_to_drop_becomes_a_gap(tmp_path: Path) -> None:
    """Also when it was an earlier start that had to."""
    gone = EventSupplier(
        as_channel(Line(None)), "obs/a", "i1", spool=tmp_path / "a", spool_events=2000
    )
    for number in range(1, 6001):
        gone.publish("t", number)
    left = left_by_kill(tmp_path / "a")
    gone.close(0.01)
    channel = EventChannelServant("now")
    back = EventSupplier(channel, "obs/a", "i2", spool=left, spool_events=2000)
    assert back.flush(PATIENCE_S)
    with EventConsumer(channel, ["**"], name="reader", cursor="oldest") as consumer:
        items = read_until(consumer, 1)
    (gap,) = [item for item in items if isinstance(item, Gap)]
    first = next(item.body for item in items if not isinstance(item, Gap))  # type: ignore[union-attr]
    assert (gap.reason, gap.count) == (GapReason.SUPPLIER, first - 1)
    (lost,) = [drop.count for account in back.accounts() for drop in account.drops]
    assert lost == gap.count
    back.close()


def test_without_the_folder_it_is_said_and_publishing_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "spool").write_text("no folder")
    channel = EventChannelServant("now")
    with caplog.at_level(logging.ERROR):
        supplier = EventSupplier(channel, "obs/a", "i1", spool=tmp_path / "spool")
    assert supplier.spool_problem
    supplier.publish("t", 1)
    assert supplier.close(PATIENCE_S)
    assert channel.get_stats().last == 1
    assert "events are in memory only" in caplog.text
