"""Documents that were changed at random: refused with a path, or good all the way to the merge."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.mapping.coding import to_json
from idl_like_interfaces.merging import MergeExit, MergeMessage
from objects.acquisition.context import new_context
from objects.acquisition.product import SourceResult, SourceState, specification_of
from objects.acquisition.specification import Plan, keywords_of, plan_v1, plan_v2
from objects.products.intake import read_specification
from objects.products.merge.tool import merge
from tests.support import malformed

FILE_ID = "TEST.2026-01-02T03:04:05.000"
BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [2**63, 2**64, -(2**64), 10**30, 1e300, 5e-324, "'" * 70, "é", "\0", "..", "/"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = st.sampled_from(
    [*malformed.KEYWORDS, *malformed.RULES, malformed.RECEIVER, malformed.PRIMARY,
     malformed.METADATA, malformed.FILE, malformed.GIVEN, "primarySource", "fitsFile", "ocm", "a",
     "obs/a", "/data/x.fits", "host:/data/x.fits", "+e *", "(", "\\1", "NAXIS", "END", "COMMENT"]
).map(lambda part: json.loads(json.dumps(part)))  # fmt: skip


def places_in(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the steps to everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [here] if here else []
    for step, each in inner if isinstance(value, dict | list) else ():
        found += (
            places_in(each, (*here, step)) if isinstance(each, dict | list) else [(*here, step)]
        )
    return found


@st.composite
def changed(draw: st.DrawFn, good: Any) -> str:
    """Draw a text: a good document with some of its parts exchanged, removed or added."""
    document = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 4))):
        places = places_in(document)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = document
        for step in way:
            holder = holder[step]
        match draw(st.sampled_from(["exchange", "exchange", "remove", "add"])):
            case "exchange":
                holder[last] = draw(PARTS | VALUES)
            case "remove":
                del holder[last]
            case _ if isinstance(holder, list):
                holder.insert(last, draw(PARTS | VALUES))
            case _:
                holder[draw(st.sampled_from([*malformed.REQUIRED, "id", "x", ""]))] = draw(
                    PARTS | VALUES
                )
    text = json.dumps(document)
    if draw(st.integers(0, 9)) == 0:
        cut = draw(st.integers(0, len(text)))
        text = text[:cut] + draw(st.text(max_size=3)) + text[cut + draw(st.integers(0, 3)) :]
    return text


def read(call: Callable[[], Any], *names: str) -> Any:
    """Return what was read, ``None`` for a refusal, which must say where and what to do."""
    try:
        return call()
    except DaqException as error:
        refused = error
    assert refused.message.startswith(names), refused.message
    assert refused.remedy, refused.message
    assert len(refused.explain()) < 2000
    return None


def check_onwards(plan: Plan, folder: Path) -> None:
    """What the coordinator takes, the DPM takes, and the merger finds nothing wrong but files."""
    context = new_context(plan, plan.id or FILE_ID, FILE_ID, "ocm", BEGIN)
    results = {
        each.source_name: SourceResult(
            source_name=each.source_name, state=SourceState.ENDED, files=["/data/made.fits"]
        )
        for each in context.results
    }
    if len(f"{plan.file_prefix}{FILE_ID}.fits") > 68:
        return  # the coordinator refuses it when it makes the file id
    text = to_json(specification_of(context.id, FILE_ID, plan, plan.keywords, results))
    read_specification(text, frozenset({""}))
    file = folder / "specification.json"
    file.write_text(text, encoding="utf-8")
    told: list[MergeMessage] = []
    code = merge(str(file), dry_run=True, on_message=told.append)
    assert code in (MergeExit.OK, MergeExit.NO_SOURCE), told[-1]
    keywords = json.loads(text)
    keywords["sources"] = [s for s in keywords["sources"] if s["type"] == "fitsKeywords"]
    keywords["target"].pop("source", None)
    file.write_text(json.dumps(keywords))
    assert merge(str(file), dry_run=True, on_message=told.append) == MergeExit.OK, told[-1]


quietly = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@quietly
@given(text=changed(malformed.V2))
def test_changed_v2_documents(tmp_path: Path, text: str) -> None:
    """Refused with a path, or good for DPM and merger."""
    plan = read(lambda: plan_v2(text), "specification")
    if plan is not None:
        check_onwards(plan, tmp_path)


@quietly
@given(text=changed(malformed.V1))
def test_changed_v1_properties(tmp_path: Path, text: str) -> None:
    """The same for properties."""
    plan = read(lambda: plan_v1("", "", "a@obs/a", "m@obs/m", text), "properties")
    if plan is not None:
        check_onwards(plan, tmp_path)


@quietly
@given(text=changed(malformed.KEYWORDS))
def test_changed_keywords(tmp_path: Path, text: str) -> None:
    """The same for keywords of an update."""
    keywords = read(lambda: keywords_of("x", text), "keywords")
    if keywords is not None:
        plan = plan_v1("", "", "a@obs/a", "", "")
        check_onwards(Plan(sources=plan.sources, await_interval=1.0, keywords=keywords), tmp_path)


@quietly
@given(text=changed(malformed.PRODUCT))
def test_changed_specifications(tmp_path: Path, text: str) -> None:
    """What the DPM refuses the merger refuses in the same words, but for relative locations."""
    document = read(lambda: read_specification(text, frozenset({""})), "specification")
    file = tmp_path / "specification.json"
    file.write_bytes(text.encode(errors="surrogatepass"))
    told: list[MergeMessage] = []
    code = merge(str(file), dry_run=True, on_message=told.append)
    assert code != MergeExit.INTERNAL, told[-1]
    if document is not None:
        assert code in (MergeExit.OK, MergeExit.NO_SOURCE), told[-1]


@quietly
@given(arguments=st.lists(st.text(max_size=30), min_size=4, max_size=4))
def test_any_arguments_of_v1(arguments: list[str]) -> None:
    """Whatever the texts are, one of the four is named."""
    id, prefix, primaries, metadata = arguments
    names = ("id", "file_prefix", "prim_sources", "meta_sources")
    read(lambda: plan_v1(id, prefix, primaries, metadata, ""), *names)


@given(text=st.text(max_size=50))
def test_any_text(text: str) -> None:
    """Each of the three documents is refused by its name, or read."""
    read(lambda: plan_v2(text), "specification")
    read(lambda: plan_v1("", "", "a@obs/a", "", text), "properties")
    read(lambda: keywords_of("x", text), "keywords")


@given(octets=st.binary(max_size=200))
def test_any_octets(tmp_path_factory: Any, octets: bytes) -> None:
    """The merger takes them for no JSON or for a wrong schema."""
    file = tmp_path_factory.getbasetemp() / "octets.json"
    file.write_bytes(octets)
    told: list[MergeMessage] = []
    code = merge(str(file), on_message=told.append)
    assert code in (MergeExit.INVALID_JSON, MergeExit.INVALID_SCHEMA), told[-1]
