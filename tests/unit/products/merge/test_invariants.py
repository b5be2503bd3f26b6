"""What holds for every merge, whatever the sources say."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.merging import MergeExit, MergeMessage
from objects.products.merge.cards import Card, parse_cards
from objects.products.merge.layout import read_layout
from objects.products.merge.plan import CATEGORIES, RESERVED, may_travel
from objects.products.merge.tool import merge
from objects.products.merge.verify import verify_file
from tests.support.clock import ManualClock

NAMES = st.sampled_from(["RA", "DEC", "OBJECT", "INSTRUME", "EXPTIME", "ARCFILE", "BZERO", "DATE"])
ESO_NAMES = st.builds(
    "{} {}".format, st.sampled_from([*CATEGORIES, "OCS", "ZZZ"]), st.sampled_from(["A", "B 1", "Z"])
)
VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab '&/=", max_size=160),
)
KEYWORDS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("valueKeyword"), "name": NAMES, "value": VALUES},
        optional={"comment": st.text("ab '&/=", max_size=20)},
    ),
    st.fixed_dictionaries({"type": st.just("esoKeyword"), "name": ESO_NAMES, "value": VALUES}),
    st.fixed_dictionaries(
        {
            "type": st.just("literalKeyword"),
            "value": st.sampled_from(
                ["COMMENT a", "HISTORY b", "RA      = 5", "         title", "NOTHING =", "HISTORY"]
            ),
        }
    ),
)
SOURCES = st.lists(st.lists(KEYWORDS, max_size=8), max_size=4)


def make(
    folder: Path, name: str, sources: list[dict[str, Any]], target: Path | None = None
) -> Path:
    """Merge keyword sources, into a target when there is one, and return the product."""
    document: dict[str, Any] = {"id": "d", "sources": sources, "target": {"fileId": name}}
    if target:
        source = {"type": "fitsFile", "sourceName": "t", "location": str(target)}
        document["target"]["source"] = source
    specification = folder / "specification.json"
    specification.write_bytes(msgspec.json.encode(document))
    said: list[MergeMessage] = []
    product = folder / f"{name}.out"
    code = merge(str(specification), outfile=product, on_message=said.append, clock=ManualClock())
    assert code == MergeExit.OK, said[-1]
    return product


def cards_of(product: Path) -> list[Card]:
    """Return what of its primary header came from sources."""
    return [card for card in parse_cards(read_layout(product)[0].images) if may_travel(card)]


@settings(max_examples=25, deadline=None)
@given(SOURCES)
def test_a_product_is_sound_repeatable_and_stays_as_it_is_when_merged_again(
    given_keywords: list[list[dict[str, Any]]],
) -> None:
    """Of the standard; the same bytes twice; as a target it keeps every keyword, in its place."""
    sources = [
        {"type": "fitsKeywords", "sourceName": f"s{number}", "keywords": keywords}
        for number, keywords in enumerate(given_keywords)
    ]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        folder = Path(place)
        product = make(folder, "one", sources)
        first = product.read_bytes()
        product.unlink()
        assert make(folder, "one", sources).read_bytes() == first
        assert verify_file(product).errors == 0
        again = make(folder, "two", [], target=product)
        assert cards_of(again) == cards_of(product)
        check_order(cards_of(product))
        own = {card.name: card for card in parse_cards(read_layout(again)[0].images)}
        assert set(own) >= RESERVED


def check_order(cards: list[Card]) -> None:
    """Value keywords, ESO keywords by category and name, commentary."""
    kinds = [card.kind for card in cards]
    assert kinds == sorted(kinds, key=[CardKind.VALUE, CardKind.ESO, CardKind.COMMENTARY].index)
    eso = [card for card in cards if card.kind is CardKind.ESO]
    ranks = [((*CATEGORIES, "OCS", "ZZZ").index(card.category), card.name) for card in eso]
    assert ranks == sorted(ranks)
