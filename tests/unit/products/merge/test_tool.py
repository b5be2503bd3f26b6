"""The merger as a tool: exit codes, messages, paths, and what it leaves behind."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.mapping.coding import parse_json, to_json
from idl_like_interfaces.merging import MergeExit, MergeMessage, MergeMessageType
from objects.products.merge import tool
from objects.products.merge.tool import merge
from tests.support.disk import small_disk
from tests.support.fits import ascii_table, image, table, write_fits
from tests.support.merging import FILE_ID, Bench, primary_header


def test_progress_counts_the_hdus_and_the_result_names_the_product(bench: Bench) -> None:
    """Each HDU once, with its source; the result is the last message."""
    bench.aim("t", extensions=[image("A")])
    bench.add("s", extensions=[table("B")])
    assert bench.merge() == MergeExit.OK
    steps = [message.content for message in bench.of(MergeMessageType.PROGRESS)]
    assert [(step.done, step.total, step.source) for step in steps] == [
        (1, 3, "t"),
        (2, 3, "t"),
        (3, 3, "s"),
    ]
    assert bench.messages[-1].type is MergeMessageType.RESULT
    assert bench.messages[-1].content.path == str(bench.product)


def test_a_message_is_one_line_of_json(bench: Bench) -> None:
    """And it reads back as the same message."""
    bench.add("s", data=np.ones(3))
    bench.merge()
    for message in bench.messages:
        line = to_json(message)
        assert "\n" not in line
        assert parse_json(MergeMessage, line) == message


@pytest.mark.spec("ESO-137")
@pytest.mark.parametrize("name", ["missing.json", "folder"])
def test_a_missing_specification_is_100(bench: Bench, name: str) -> None:
    """A folder is not a specification either."""
    (bench.folder / "folder").mkdir()
    assert bench.merge(str(bench.folder / name)) == 100
    assert name in bench.error()


@pytest.mark.spec("ESO-138")
@pytest.mark.parametrize("text", [b"", b"{", b'{"id": NaN}', b'{"id": "\xff"}', b"[" * 100_000])
def test_broken_json_is_101(bench: Bench, text: bytes) -> None:
    """Wherever it breaks."""
    path = bench.folder / "broken.json"
    path.write_bytes(text)
    assert bench.merge(str(path)) == 101
    assert "is not JSON" in bench.error()


@pytest.mark.spec("ESO-139")
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"target": {}}, "specification.target.fileId"),
        ({"target": {"fileId": "../escape"}}, "specification.target.fileId"),
        ({"extra": 1}, "specification.extra"),
        ({"sources": [{"type": "unknown"}]}, "specification.sources[0]"),
        ({"sources": [{"type": "fitsKeywords", "sourceName": "a", "keywords": [{"type": "valueKeyword", "name": "lower", "value": 1}]}]}, "specification.sources[0].keywords[0].name"),
        ({"sources": [{"type": "fitsKeywords", "sourceName": "a", "keywords": [{"type": "valueKeyword", "name": "A", "value": None}]}]}, "specification.sources[0].keywords[0].value"),
        ({"sources": [{"type": "fitsKeywords", "sourceName": "a", "keywords": [{"type": "valueKeyword", "name": "A", "value": 2**64}]}]}, "specification.sources[0].keywords[0].value"),
        ({"target": {"fileId": "x" * 100}}, "specification.target.fileId"),
    ],
)  # fmt: skip
def test_a_schema_violation_is_102_with_its_path(
    bench: Bench, change: dict[str, Any], path: str
) -> None:
    """Also one that only shows when the keyword is to become a card."""
    document = {"id": "daq-1", "target": {"fileId": FILE_ID}} | change
    file = bench.folder / "bad.json"
    file.write_bytes(msgspec.json.encode(document))
    assert bench.merge(str(file)) == 102
    assert path in bench.error()


@pytest.mark.spec("ESO-139")
@pytest.mark.parametrize(
    "rule",
    [
        {"type": "filter", "selectionPatterns": ["*"]},
        {"type": "transform", "selectionPatterns": ["+e *"], "regex": "(", "format": ""},
    ],
)
def test_a_bad_rule_is_102(bench: Bench, rule: dict[str, Any]) -> None:
    """An unknown pattern or a malformed expression."""
    bench.add("s", spec={"keywordRules": [rule]})
    assert bench.merge() == MergeExit.INVALID_SCHEMA
    assert "specification.sources[0].keywordRules[0]" in bench.error()


@pytest.mark.spec("ESO-140")
def test_missing_sources_are_110_and_all_are_named(bench: Bench) -> None:
    """One run tells everything that has to be fetched."""
    bench.add("there")
    bench.sources += [
        bench.source("gone"),
        bench.source("far") | {"location": "host:/data/far.fits"},
    ]
    for name, location in (("at", "me@host:/x.fits"), ("odd", "a_b:/x.fits")):
        bench.sources.append(bench.source(name) | {"location": location})
    bench.target["source"] = bench.source("no_target")
    assert bench.merge() == 110
    assert "5 of 6" in bench.error()
    elsewhere = ("/data/far.fits", "at: me@host:/x.fits", "odd: a_b:/x.fits")
    for name in ("gone.fits", *(f"{it} (on another host)" for it in elsewhere), "no_target.fits"):
        assert name in bench.error()
    assert not bench.product.exists()


@pytest.mark.spec("ESO-141")
def test_a_truncated_source_is_255_and_leaves_nothing(bench: Bench) -> None:
    """The file, the size found and the size expected are named."""
    path = bench.add("s", extensions=[image("A")])
    data_end = path.stat().st_size - 2880 + 24
    os.truncate(path, data_end - 4)
    assert bench.merge() == 255
    assert "s.fits: truncated" in bench.error()
    assert f"{data_end} bytes, found {data_end - 4}" in bench.error()
    assert {item.name for item in bench.folder.iterdir()} == {"s.fits", "specification.json"}


def test_a_source_whose_last_block_is_short_is_filled_up(bench: Bench) -> None:
    """With zeros, or blanks behind an ASCII table; the product is whole FITS."""
    for name, extension in (("a", image("A")), ("b", ascii_table("B"))):
        path = bench.add(name, extensions=[extension])
        whole = path.read_bytes()
        path.write_bytes(whole.rstrip(b"\0 "))
        os.truncate(path, max(path.stat().st_size, len(whole) - 2880 + 24))
    assert bench.merge() == MergeExit.OK
    primary_header(bench.product)
    assert bench.product.read_bytes().endswith(b" " * 2000)
    with fits.open(bench.product) as hdus:
        assert hdus["A"].data.tolist() == [[1, 1, 1]] * 4
        assert hdus["B"].data["VALUE"].tolist() == [1.5, 2.5]


@pytest.mark.spec("ESO-141")
def test_an_existing_output_is_refused_and_kept(bench: Bench) -> None:
    """A merge replaces nothing."""
    bench.product.write_text("precious")
    assert bench.merge() == MergeExit.INTERNAL
    assert "exists" in bench.error()
    assert bench.product.read_text() == "precious"


@pytest.mark.parametrize("name", ["t.fits", "s.fits", "./link.fits"])
def test_an_output_that_is_an_input_is_refused(bench: Bench, name: str) -> None:
    """A product is a new file, also when it has a target; the input stays."""
    paths = [bench.aim("t", {"A": 1}), bench.add("s", {"B": 1})]
    (bench.folder / "link.fits").symlink_to("s.fits")
    before = [path.read_bytes() for path in paths]
    assert bench.merge(outfile=Path(name)) == MergeExit.INTERNAL
    assert f"is the file of source {'t' if name == 't.fits' else 's'}" in bench.error()
    assert [path.read_bytes() for path in paths] == before


def test_an_output_folder_must_exist(bench: Bench) -> None:
    """The refusal names it."""
    assert bench.merge(outfile=Path("no/x.fits")) == MergeExit.INTERNAL
    assert str(bench.folder / "no") in bench.error()


def test_a_name_that_no_file_can_have_is_the_users_mistake(bench: Bench) -> None:
    """Such a location is not there, such an output cannot be written: no fault of the merger."""
    bench.add("s")
    assert bench.merge(outfile=Path("x" * 300)) == MergeExit.INTERNAL
    assert "cannot be written: File name too long" in bench.error()
    bench.messages.clear()
    bench.sources.append(bench.source("long") | {"location": "x" * 300})
    assert bench.merge() == MergeExit.NO_SOURCE
    assert "1 of 2 source files are not there" in bench.error()


def test_a_disk_that_refuses_is_told_with_the_file(bench: Bench) -> None:
    """Here by a part file that cannot be opened for writing; a full disk reads alike."""
    part = bench.product.with_name(f"{bench.product.name}.part")
    part.mkdir()
    assert bench.merge() == MergeExit.INTERNAL
    assert f"{bench.product} cannot be written: Is a directory" in bench.error()


def test_a_part_file_of_a_crashed_merge_does_not_disturb(bench: Bench) -> None:
    """It is taken over, however long it was."""
    bench.product.with_name(f"{bench.product.name}.part").write_bytes(b"x" * 100_000)
    assert bench.merge() == MergeExit.OK
    assert bench.product.stat().st_size == 2880
    primary_header(bench.product)


def test_two_merges_of_one_product_do_not_mix(bench: Bench) -> None:
    """The second is refused while the first is writing, which goes on unharmed."""
    second = Bench(bench.folder)
    codes: list[int] = []

    def merge_again(message: MergeMessage) -> None:
        if message.type is MergeMessageType.PROGRESS:
            codes.append(second.merge(bench.specification()))

    assert merge(bench.specification(), on_message=merge_again) == MergeExit.OK
    assert codes == [MergeExit.INTERNAL]
    assert "another merge is writing" in second.error()
    primary_header(bench.product)


def test_an_interrupt_leaves_nothing(bench: Bench) -> None:
    """The part file goes with the merge that wrote it."""

    def interrupt(message: MergeMessage) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(bench.specification(), on_message=interrupt)
    assert {item.name for item in bench.folder.iterdir()} == {"specification.json"}


def test_an_input_that_shrinks_while_it_is_copied_is_noticed(bench: Bench) -> None:
    """Its writer was not finished: nothing is made of it."""
    path = bench.add("s", extensions=[image("A")])

    def shrink(message: MergeMessage) -> None:
        os.truncate(path, 2880)
        bench.messages.append(message)

    assert merge(bench.specification(), on_message=shrink) == MergeExit.INTERNAL
    assert "became shorter" in bench.error()
    assert not bench.product.exists()


@pytest.mark.spec("ESO-141")
def test_a_bug_is_255_with_a_message(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script sees the code, a person the kind of fault."""

    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(tool, "plan_product", broken)
    assert bench.merge() == MergeExit.INTERNAL
    assert "ZeroDivisionError: oops" in bench.error()


@pytest.mark.spec("ESO-142")
def test_standard_input_is_read_and_the_root_is_the_current_folder(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources and product are relative to it."""
    bench.add("s", {"A": 1})
    text = Path(bench.specification()).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    monkeypatch.chdir(bench.folder)
    assert bench.merge("-") == MergeExit.OK
    assert primary_header(bench.product)["A"] == 1


@pytest.mark.spec("ESO-142")
def test_a_specification_that_is_no_regular_file_has_the_current_folder_as_root(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a pipe that a shell makes."""
    text = Path(bench.specification()).read_bytes()
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    monkeypatch.chdir(bench.folder)
    assert bench.merge(f"/dev/fd/{reader}") == MergeExit.OK
    os.close(reader)
    assert bench.product.exists()


@pytest.mark.spec("ESO-143")
def test_relative_paths_begin_at_the_root(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources, product and log file; the root itself at the current folder."""
    root = tmp_path_factory.mktemp("elsewhere") / "root"
    root.mkdir()
    write_fits(root / "s.fits", {"A": 1})
    bench.sources.append(bench.source("s"))
    monkeypatch.chdir(root.parent)
    code = bench.merge(root=Path("root"), outfile=Path("o.fits"), logfile=Path("merge.log"))
    assert code == MergeExit.OK
    assert {path.name for path in root.iterdir()} == {"s.fits", "o.fits", "merge.log"}


@pytest.mark.spec("ESO-143")
def test_absolute_paths_stay_where_they_are(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the root is."""
    other = tmp_path_factory.mktemp("other")
    bench.add("s")
    bench.sources[0]["location"] = str(bench.folder / "s.fits")
    assert bench.merge(root=other, outfile=bench.folder / "o.fits") == MergeExit.OK
    assert (bench.folder / "o.fits").exists()


def test_the_log_file_is_appended_to(bench: Bench) -> None:
    """A line for each message of each run, with its time."""
    for _ in range(2):
        bench.merge(logfile=Path("merge.log"))
    lines = (bench.folder / "merge.log").read_text().splitlines()
    assert len(lines) == len(bench.messages)
    assert lines[0].startswith(bench.clock.utc().isoformat(timespec="milliseconds"))
    assert "exists" in lines[-1]
    assert "move it away" in lines[-1]


def test_a_log_file_that_cannot_be_written_is_told(bench: Bench) -> None:
    """Before any work is done."""
    assert bench.merge(logfile=Path("no/merge.log")) == MergeExit.INTERNAL
    assert "log file" in bench.error()
    assert not bench.product.exists()


def test_a_log_file_that_takes_no_more_is_told_once_and_spoils_no_merge(bench: Bench) -> None:
    """The product is good all the same; its progress is told, and the result last."""
    bench.add("s", extensions=[image("A")])
    assert bench.merge(logfile=Path("/dev/full")) == MergeExit.OK
    (alert,) = bench.of(MergeMessageType.ALERT)
    assert alert.content.id == "log_file"
    assert "/dev/full cannot be written any more: No space left" in alert.content.message
    assert len(bench.of(MergeMessageType.PROGRESS)) == 2
    assert bench.messages[-1].type is MergeMessageType.RESULT
    primary_header(bench.product)


@pytest.mark.spec("ESO-144")
def test_a_dry_run_leaves_no_trace(bench: Bench) -> None:
    """No product, no log file, inputs untouched; alerts are told as in earnest."""
    path = bench.add("s", data=np.ones(3))
    before = path.read_bytes()
    assert bench.merge(dry_run=True, logfile=Path("merge.log")) == MergeExit.OK
    assert {item.name for item in bench.folder.iterdir()} == {"s.fits", "specification.json"}
    assert path.read_bytes() == before
    assert len(bench.of(MergeMessageType.ALERT)) == 1
    assert "nothing was written" in bench.messages[-1].content.message


@pytest.mark.spec("ESO-144")
def test_a_dry_run_has_the_exit_codes_of_a_real_one(bench: Bench) -> None:
    """That is what it is for."""
    bench.sources.append(bench.source("gone"))
    assert bench.merge(dry_run=True) == MergeExit.NO_SOURCE
    assert bench.merge("gone.json", dry_run=True) == MergeExit.NO_SPECIFICATION


def _of_a_closed_pipe(message: MergeMessage) -> None:
    if message.type is MergeMessageType.PROGRESS:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def test_an_error_of_who_listens_is_none_of_the_disk(bench: Bench) -> None:
    """It is told as what it is, and nothing of the product is left."""

    def listen(message: MergeMessage) -> None:
        bench.messages.append(message)
        _of_a_closed_pipe(message)

    assert merge(bench.specification(), on_message=listen) == MergeExit.INTERNAL
    assert "BrokenPipeError" in bench.error()
    assert "cannot be written" not in bench.error()
    assert {item.name for item in bench.folder.iterdir()} == {"specification.json"}


def test_a_source_that_cannot_be_read_is_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not said that the product cannot be written."""
    path = bench.add("s", extensions=[image("A")])

    def fail(*_arguments: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", fail)
    assert bench.merge() == MergeExit.INTERNAL
    error = bench.error()
    assert error.startswith(f"{path}: the data of the extension 1 (A")
    assert "cannot be read: Input/output error" in error
    assert not bench.product.exists()


def test_a_product_that_has_no_room_is_not_begun(bench: Bench, tmp_path: Path) -> None:
    """The disk keeps its room for others; both figures are told."""
    bench.add("s", extensions=[fits.ImageHDU(np.zeros((1000, 1000), "uint8"), name="A")])
    with small_disk(tmp_path / "small", "512k") as disk:
        assert bench.merge(outfile=disk / "p.fits") == MergeExit.INTERNAL
        assert re.search(
            r"No space left on device: 10\d{5} bytes are needed, \d+ are free", bench.error()
        )
        assert bench.of(MergeMessageType.PROGRESS) == []
        assert list(disk.iterdir()) == []


def test_a_name_that_no_header_can_hold_is_102(bench: Bench) -> None:
    """As coordinator and DPM refuse it."""
    bench.target["fileId"] = "F" * 64
    assert bench.merge() == MergeExit.INVALID_SCHEMA
    assert "specification.target.fileId: the file name" in bench.error()
    assert "has 69 characters, a FITS string at most 68" in bench.error()
