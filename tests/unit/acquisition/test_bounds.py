"""What can never be handed over is refused where it comes, and told what there may be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException, DpmDaqControl
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.documents import FitsKeywordsSource
from idl_like_interfaces.keywords import FitsKeyword, ValueKeyword
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.coding import to_json
from objects.acquisition.bounds import MOST_ASKED, MOST_HANDED
from objects.acquisition.states import Phase
from tests.support.daq import Bench

LONG = "x" * 60_000


def many(letter: str, size: int) -> list[FitsKeyword]:
    """Return keywords of so many bytes, nearly."""
    return [
        ValueKeyword(name=f"{letter}{number}", value=LONG) for number in range(size // len(LONG))
    ]


def plain(keywords: list[FitsKeyword]) -> list[Any]:
    found: list[Any] = json.loads(to_json(keywords))
    return found


def starts(bench: Bench) -> list[Callable[[list[Any]], Any]]:
    def one(keywords: list[Any]) -> Any:
        return bench.start(properties=json.dumps({"keywords": keywords}))

    def two(keywords: list[Any]) -> Any:
        source = {"type": "fitsKeywords", "sourceName": "k", "keywords": keywords}
        return bench.daq.start_daq_v2(json.dumps({"sources": [source]}))

    return [one, two]


@pytest.mark.parametrize(("version", "field"), [(1, "properties"), (2, "specification")])
def test_a_start_that_says_too_much_is_refused(bench: Bench, version: int, field: str) -> None:
    """With its path, what was found, and what to do; nothing has begun."""
    start = starts(bench)[version - 1]
    with pytest.raises(DaqException, match=rf"{field}: .* at most {MOST_ASKED}") as refused:
        start(plain(many("A", MOST_ASKED)) + plain(many("B", 100_000)))
    assert "leave keywords out" in refused.value.remedy
    assert bench.daq.get_active_list() == []
    assert bench.journal == []


def test_keywords_that_become_too_many_are_refused_and_the_rest_is_handed_over(
    bench: Bench,
) -> None:
    """All together count; one that is given anew takes the place of the old one."""
    id = bench.start()
    half = many("A", MOST_ASKED // 2)
    for _ in range(3):
        bench.daq.update_keywords(id, to_json(half))
    with pytest.raises(DaqException, match=f"keywords: .* at most {MOST_ASKED}"):
        bench.daq.update_keywords(id, to_json(many("B", MOST_ASKED // 2 + 100_000)))
    more = many("C", 100_000)
    bench.daq.update_keywords(id, to_json(more))
    bench.daq.stop_daq(id)
    own = bench.queued(id).sources[0]
    assert isinstance(own, FitsKeywordsSource)
    assert own.keywords[2:] == [*half, *more]


def test_a_source_whose_keywords_have_no_room_beside_the_others_is_told(bench: Bench) -> None:
    """It alone fails, and can be gone on without; the others are handed over."""
    bench.m.keywords = many("M", MOST_HANDED // 2)
    bench.n.keywords = many("N", MOST_HANDED // 2 + 200_000)
    id = bench.start(prim="", meta="mn")
    bench.daq.stop_daq(id)
    (alert,) = bench.daq.get_status(id).alerts
    assert "source n cannot be used" in alert.description
    assert f"at most {MOST_HANDED}" in alert.description
    assert "force_stop_daq" in alert.remedy
    bench.daq.force_stop_daq(id)
    names = [each.source_name for each in bench.queued(id).sources]
    assert set(names) == {"ocm", "m"}
    assert bench.phase(id) is Phase.SCHEDULED


def test_what_may_be_handed_over_travels() -> None:
    """In one message."""
    Request(interface_of(DpmDaqControl).operations["queue_daq"], ["x" * MOST_HANDED])
