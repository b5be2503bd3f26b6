"""Results of sources become a data product specification."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate
from idl_like_interfaces.documents import FitsFileSource, FitsKeywordsSource
from idl_like_interfaces.keywords import ValueKeyword
from objects.acquisition.context import new_context
from objects.acquisition.product import SourceResult, SourceState, specification_of
from objects.acquisition.specification import plan_v1, plan_v2

FILE_ID = "X.Y.2026-01-02T03:04:05.678"
STOPPED_AT = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
A: dict[str, Any] = {"type": "primarySource", "sourceName": "a", "rrUri": "obs/a"}
M: dict[str, Any] = {"type": "metadataSource", "sourceName": "m", "rrUri": "obs/m"}
F: dict[str, Any] = {"type": "fitsFile", "sourceName": "f", "location": "/f.fits"}


def ended(name: str, *files: str, **more: Any) -> dict[str, SourceResult]:
    """Make the result of a source that ended well."""
    result = SourceResult(source_name=name, state=SourceState.ENDED, files=list(files), **more)
    return {name: result}


def one(results: dict[str, SourceResult], prim: str = "a@obs/a", meta: str = "") -> Any:
    """Make the specification of a V1 acquisition."""
    return specification_of("1", FILE_ID, plan_v1("", "", prim, meta, ""), [], results)


@pytest.mark.spec("ESO-110")
def test_the_sole_file_of_the_sole_primary_is_the_target() -> None:
    """The rule of V1."""
    made = one(ended("a", "/a.fits") | ended("m", "/m.fits"), meta="m@obs/m")
    assert made.target.source == FitsFileSource(source_name="a", location="/a.fits")
    assert [each.source_name for each in made.sources] == ["ocm", "m"]


@pytest.mark.spec("ESO-111")
def test_two_files_or_two_primaries_make_a_new_product() -> None:
    """Then no file is more than another."""
    assert one(ended("a", "/1.fits", "/2.fits")).target.source is None
    both = one(ended("a", "/a.fits") | ended("b", "/b.fits"), "a@obs/a b@obs/b")
    assert both.target.source is None
    assert [each.location for each in both.sources[1:]] == ["/a.fits", "/b.fits"]


@pytest.mark.spec("ESO-112")
def test_the_merge_target_is_the_first_file_of_its_source() -> None:
    """Its other files follow as sources; the order of the sources is kept."""
    plan = plan_v2(json.dumps({"sources": [F, A], "mergeTarget": {"sourceName": "a"}}))
    made = specification_of("1", FILE_ID, plan, [], ended("a", "/1.fits", "/2.fits"))
    assert made.target.source is not None
    assert made.target.source.location == "/1.fits"
    assert [getattr(each, "location", "") for each in made.sources] == ["", "/f.fits", "/2.fits"]


@pytest.mark.spec("ESO-126")
def test_own_keywords_come_first() -> None:
    """The instrument (which may hold a point), the archive name, then the client's."""
    plan = plan_v1("", "", "a@obs/a", "", "")
    user = ValueKeyword(name="OBJECT", value="M 31")
    made = specification_of("1", FILE_ID, plan, [user], {})
    own = made.sources[0]
    assert isinstance(own, FitsKeywordsSource)
    values = {each.name: each.value for each in own.keywords}  # type: ignore[union-attr]
    assert values == {"INSTRUME": "X.Y", "ARCFILE": f"{FILE_ID}.fits", "OBJECT": "M 31"}


def test_keywords_of_a_source_precede_its_files() -> None:
    """Initial ones and those of its stop reply, under the source's name; rules go with files."""
    initial = {"type": "valueKeyword", "name": "I", "value": 1}
    rules: list[Any] = [{"type": "filter", "selectionPatterns": ["+e INS *"]}]
    source = M | {"initialKeywords": [initial], "keywordRules": rules, "alertUnmergeable": False}
    plan = plan_v2(json.dumps({"sources": [source]}))
    said = ValueKeyword(name="S", value=2)
    made = specification_of("1", FILE_ID, plan, [], ended("m", "/m.fits", keywords=[said]))
    keywords, file = made.sources[1:]
    assert keywords == FitsKeywordsSource(
        source_name="m", keywords=[ValueKeyword(name="I", value=1), said]
    )
    assert isinstance(file, FitsFileSource)
    assert (file.alert_unmergeable, len(file.keyword_rules or [])) == (False, 1)


@pytest.mark.spec("ESO-044")
def test_a_failed_source_contributes_nothing() -> None:
    """Neither files nor keywords, and it is no target."""
    failed = SourceResult(source_name="a", state=SourceState.FAILED, files=["/a.fits"])
    made = one({"a": failed})
    assert made.target.source is None
    assert len(made.sources) == 1


def test_receivers_and_prefix_go_along() -> None:
    """As the client wants them."""
    receivers = [{"type": "olasReceiver", "path": "/olas"}]
    plan = plan_v2(json.dumps({"sources": [F], "receivers": receivers, "filePrefix": "p_"}))
    made = specification_of("1", FILE_ID, plan, [], {})
    assert (made.receivers[0].path, made.target.file_prefix) == ("/olas", "p_")
    assert made.target.file_id == FILE_ID


@pytest.mark.spec("ESO-107")
def test_the_time_of_the_stop_goes_along() -> None:
    """When Stopped was entered last; before that there is none."""
    context = new_context(plan_v2(json.dumps({"sources": [F]})), "1", FILE_ID, "ocm", STOPPED_AT)
    assert context.specification().stopped_at is None
    status = DaqStatus(
        id="1",
        file_id=FILE_ID,
        state=DaqState.ACQUIRING,
        substate=DaqSubstate.STOPPED,
        timestamp=STOPPED_AT.timestamp(),
    )
    entered = [replace(status, substate=DaqSubstate.ACQUIRING, timestamp=1.0), status]
    assert replace(context, entered=entered).specification().stopped_at == STOPPED_AT
