"""What is malformed is refused by its path: by the DPM, and in the same words by the merger."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.merging import MergeExit, MergeMessage, MergeMessageType
from objects.products.merge.tool import merge
from tests.support import malformed
from tests.support.malformed import Fault, faults_of
from tests.support.products import Dpm, running

# A product may be of its target alone.
FAULTS = [
    *(fault for fault in faults_of(malformed.PRODUCT) if fault.what != ".sources is missing"),
    *malformed.OF_PRODUCT,
]
TWICE = [
    ('{"id": "a", "id": "b"}', "specification.id"),
    ('{"target": {"fileId": "a", "fileId": "a"}}', "specification.target.fileId"),
    ('{"sources": [{"x": 1}, {"type": 1, "type": 2}]}', "specification.sources[1].type"),
]


@pytest.fixture
def dpm(data_root: Path) -> Iterator[Dpm]:
    """Yield a DPM that has nothing to do, and must have nothing at the end."""
    with running(data_root) as at_work:
        events = len(at_work.site.events)
        yield at_work
        assert at_work.daq.get_active_daqs() == []
        assert len(at_work.site.events) == events
    assert not (data_root / "dpm" / "queue.json").exists()
    assert list((data_root / "dpm" / "in-progress").iterdir()) == []
    assert [path.name for path in data_root.iterdir()] == ["dpm"]


def refusal_of(dpm: Dpm, text: str) -> DaqException:
    """Queue what must be refused."""
    with pytest.raises(DaqException) as refused:
        dpm.daq.queue_daq(text)
    assert refused.value.remedy, refused.value.message
    return refused.value


def merged(folder: Path, text: str | bytes) -> tuple[int, str]:
    """Merge what must fail; return code and message, and look whether anything was left."""
    file = folder / "specification.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    told: list[MergeMessage] = []
    code = merge(str(file), on_message=told.append)
    (last,) = told
    assert last.type is MergeMessageType.ERROR
    assert last.content.code == code
    assert last.content.remedy, last.content.message
    assert [path.name for path in folder.iterdir()] == ["specification.json"]
    return code, last.content.message.removeprefix(f"{file}: ")


def check(message: str, path: str) -> None:
    """The path stands first, and nothing deeper."""
    assert message.startswith(path), f"{message!r} has not the path {path}"
    assert message[len(path) : len(path) + 1] in (":", " ", ""), message


@pytest.mark.spec("ESO-139")
def test_every_part_of_a_specification(dpm: Dpm, tmp_path: Path) -> None:
    """Missing, null, of every wrong type, unknown, or of a value that cannot be: exit code 102."""
    (tmp_path / "merge").mkdir()
    for fault in FAULTS:
        refused = refusal_of(dpm, fault.text)
        check(refused.message, fault.below("specification"))
        code, message = merged(tmp_path / "merge", fault.text)
        assert (code, message) == (MergeExit.INVALID_SCHEMA, refused.message)


@pytest.mark.parametrize("fault", malformed.OF_PRODUCT_AT_DPM, ids=lambda fault: fault.what)
def test_places_that_cannot_be(dpm: Dpm, fault: Fault) -> None:
    """Of files: the DPM takes absolute ones only."""
    check(refusal_of(dpm, fault.text).message, fault.below("specification"))


@pytest.mark.spec("ESO-138")
@pytest.mark.parametrize(
    "text",
    [text for _, text in [*malformed.TEXTS, *malformed.BYTES]],
    ids=[name for name, _ in [*malformed.TEXTS, *malformed.BYTES]],
)
def test_what_is_no_json(dpm: Dpm, tmp_path: Path, text: str | bytes) -> None:
    """Exit code 101, whatever the file is."""
    (tmp_path / "merge").mkdir()
    code, message = merged(tmp_path / "merge", text)
    assert code == MergeExit.INVALID_JSON
    assert message.startswith("specification is not JSON: ")
    assert len(message) < 300
    if isinstance(text, str):
        assert refusal_of(dpm, text).message == message


@pytest.mark.parametrize("text", malformed.NO_OBJECTS)
def test_what_is_no_object(dpm: Dpm, tmp_path: Path, text: str) -> None:
    """JSON of another form is a violation of the schema."""
    (tmp_path / "merge").mkdir()
    code, message = merged(tmp_path / "merge", text)
    assert code == MergeExit.INVALID_SCHEMA
    check(message, "specification")
    assert refusal_of(dpm, text).message == message


@pytest.mark.parametrize(("text", "path"), TWICE)
def test_a_member_given_twice(dpm: Dpm, tmp_path: Path, text: str, path: str) -> None:
    """Which of both counts would be a matter of luck."""
    (tmp_path / "merge").mkdir()
    code, message = merged(tmp_path / "merge", text)
    assert (code, message) == (MergeExit.INVALID_SCHEMA, refusal_of(dpm, text).message)
    assert message == f"{path}: the member is given twice"


@pytest.mark.spec("ESO-142")
@pytest.mark.parametrize(
    ("octets", "code"),
    [(b"", 101), (b"\xff\xfe", 101), (b"{}", 102), (b'{"id": "a"}', 102), (b"\0" * 100, 101)],
)
def test_standard_input_is_no_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, octets: bytes, code: int
) -> None:
    """The same codes, and the message says where it came from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(octets)))
    told: list[MergeMessage] = []
    assert merge("-", on_message=told.append) == code
    assert told[-1].content.message.startswith("standard input: specification")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("ESO-137")
@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "no/such", "specification.json/x"])
def test_names_of_no_specification(tmp_path: Path, name: str) -> None:
    """Exit code 100 for whatever is no file's name."""
    (tmp_path / "specification.json").write_text("{}")
    told: list[MergeMessage] = []
    code = merge(str(tmp_path / name) if name else "", on_message=told.append)
    assert code == MergeExit.NO_SPECIFICATION
    assert told[-1].content.remedy


def test_missing_sources_come_behind_the_schema(tmp_path: Path) -> None:
    """A specification that is as it must be, of files that are not there: 110."""
    document: dict[str, Any] = json.loads(json.dumps(malformed.PRODUCT))
    file = tmp_path / "specification.json"
    file.write_text(json.dumps(document))
    told: list[MergeMessage] = []
    assert merge(str(file), on_message=told.append) == MergeExit.NO_SOURCE
    document["sources"][0]["sourceName"] = "a b"
    file.write_text(json.dumps(document))
    assert merge(str(file), on_message=told.append) == MergeExit.INVALID_SCHEMA


def test_an_id_of_the_archive_is_no_path(dpm: Dpm) -> None:
    """Whoever asks for what cannot be an id learns that it is unknown."""
    for id in [*malformed.BAD_IDS, "", "a~1", "../archive", "x" * 5000]:
        for call in (dpm.daq.get_daq_status, dpm.daq.abort_daq, dpm.daq.retry_merge_daq):
            with pytest.raises(DaqException, match="not known"):
                call(id)
