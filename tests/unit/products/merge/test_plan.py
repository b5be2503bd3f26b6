"""The primary header: who wins, who is left out, the order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.keywords import KeywordRuleFilter
from objects.products.merge.cards import Card, parse_card, split_value
from objects.products.merge.plan import (
    CATEGORIES,
    OCM_STANDARD,
    Contribution,
    apply_own_rules,
    default_copy,
    merge_cards,
)
from objects.products.merge.structure import structure_cards

VALUE_NAMES = st.sampled_from(["RA", "DEC", "OBJECT", "INSTRUME", "EXPTIME"])
ESO_NAMES = st.builds(
    "{} {}".format,
    st.sampled_from([*CATEGORIES, "OCS", "AOS"]),
    st.sampled_from(["A", "B1", "B10", "Z"]),
)
IMAGES = st.one_of(
    st.builds("{:8}= {}".format, VALUE_NAMES, st.integers(0, 9)),
    st.builds("HIERARCH ESO {} = {}".format, ESO_NAMES, st.integers(0, 9)),
    st.builds("{:8} text {}".format, st.sampled_from(["COMMENT", "HISTORY"]), st.integers(0, 9)),
)
CONTRIBUTIONS = st.lists(st.lists(IMAGES, max_size=12), max_size=4)


def cards_of(*images: str) -> list[Card]:
    return [parse_card(image) for image in images]


def from_source(*images: str, is_ocm: bool = False) -> Contribution:
    return Contribution(cards=tuple(cards_of(*images)), is_ocm=is_ocm)


def merged(*contributions: Contribution, special: Sequence[Card] = ()) -> list[Card]:
    return merge_cards(contributions, special).cards


def texts(cards: Sequence[Card]) -> list[str]:
    return [card.images[0].rstrip() for card in cards]


def of_kind(cards: Sequence[Card], kind: CardKind) -> list[Card]:
    return [card for card in cards if card.kind is kind]


@pytest.mark.spec("ESO-115", "ESO-116")
def test_the_keyword_of_the_highest_priority_wins_whole() -> None:
    """Value and comment of the first one stay, the later ones are gone."""
    first = from_source("A       = 1 / first", "HIERARCH ESO DET A = 1 / first")
    second = from_source("A       = 2 / second", "HIERARCH ESO DET A = 2 / second", "B       = 2")
    assert texts(merged(first, second)) == [
        "A       = 1 / first",
        "B       = 2",
        "HIERARCH ESO DET A = 1 / first",
    ]


def test_the_same_logical_name_in_two_kinds_is_no_collision() -> None:
    """A value keyword and an ESO keyword live side by side."""
    assert len(merged(from_source("DET     = 1", "HIERARCH ESO DET = 2"))) == 2


@pytest.mark.spec("ESO-117")
def test_commentary_of_all_sources_is_kept_in_priority_order() -> None:
    """Also when the texts are the same."""
    cards = merged(from_source("COMMENT a", "HISTORY b"), from_source("A       = 1", "COMMENT a"))
    assert texts(cards) == ["A       = 1", "COMMENT a", "HISTORY b", "COMMENT a"]


@pytest.mark.spec("ESO-118")
def test_value_keywords_keep_source_order_and_inner_order() -> None:
    """RA and DEC stay together, and nothing is sorted by name."""
    cards = merged(
        from_source("RA      = 1", "DEC     = 2"), from_source("OBJECT  = 3", "AIRMASS = 4")
    )
    assert [card.name for card in cards] == ["RA", "DEC", "OBJECT", "AIRMASS"]


@pytest.mark.spec("ESO-119", "ESO-120")
def test_eso_keywords_are_sorted_by_category_and_name() -> None:
    """The eight categories first, in their order, the others alphabetically."""
    names = [
        "ZZZ A",
        "DET B",
        "DET A",
        "INS A",
        "ADA A",
        "TEL A",
        "GEN A",
        "TPL A",
        "OBS A",
        "AOS A",
    ]
    names += ["DPR CATG", "DPR A"]
    cards = merged(from_source(*(f"HIERARCH ESO {name} = 1" for name in names)))
    assert [card.name for card in cards] == [
        *("DPR A", "DPR CATG", "OBS A", "TPL A", "GEN A", "TEL A", "ADA A", "INS A"),
        *("DET A", "DET B", "AOS A", "ZZZ A"),
    ]


@pytest.mark.spec("ESO-126")
@pytest.mark.parametrize("name", sorted(OCM_STANDARD))
def test_a_standard_keyword_of_the_ocm_wins_over_the_target_in_its_place(name: str) -> None:
    """The target's order stays, the value is that of the OCM."""
    target = from_source(f"{name:8}= 'target'", "OBJECT  = 'target'")
    ocm = from_source("OBJECT  = 'ocm'", f"{name:8}= 'ocm'", is_ocm=True)
    assert texts(merged(target, ocm)) == [f"{name:8}= 'ocm'", "OBJECT  = 'target'"]


def test_the_same_keyword_of_another_source_does_not_win_over_the_target() -> None:
    """Only the OCM has that right."""
    cards = merged(from_source("INSTRUME= 'a'"), from_source("INSTRUME= 'b'"))
    assert texts(cards) == ["INSTRUME= 'a'"]


def test_the_mergers_own_keywords_stand_between_value_and_eso_keywords() -> None:
    """They are the last of the value keywords."""
    cards = merged(
        from_source("COMMENT c", "HIERARCH ESO DET A = 1", "B       = 1"),
        special=cards_of("DATE    = 'now'"),
    )
    assert [card.name for card in cards] == ["B", "DATE", "DET A", "COMMENT"]


@given(CONTRIBUTIONS)
def test_every_keyword_is_there_once_with_its_first_value(sources: list[list[str]]) -> None:
    """Whatever the sources say: no keyword lost, none twice, the first one's text."""
    cards = merged(*(from_source(*images) for images in sources))
    first: dict[object, Card] = {}
    for card in cards_of(*(image for images in sources for image in images)):
        if card.kind is not CardKind.COMMENTARY:
            first.setdefault(card.key, card)
    kept = [card for card in cards if card.kind is not CardKind.COMMENTARY]
    assert {card.key: card for card in kept} == first
    assert len(kept) == len(first)


@given(CONTRIBUTIONS)
def test_the_order_is_value_then_sorted_eso_then_commentary(sources: list[list[str]]) -> None:
    """And commentary is exactly that of the sources, one behind the other."""
    cards = merged(*(from_source(*images) for images in sources))
    kinds = [card.kind for card in cards]
    assert kinds == sorted(kinds, key=[CardKind.VALUE, CardKind.ESO, CardKind.COMMENTARY].index)
    ranks = [
        (*CATEGORIES, "AOS", "OCS").index(card.category) for card in of_kind(cards, CardKind.ESO)
    ]
    assert ranks == sorted(ranks)
    everything = cards_of(*(image for images in sources for image in images))
    assert of_kind(cards, CardKind.COMMENTARY) == of_kind(everything, CardKind.COMMENTARY)


@given(CONTRIBUTIONS)
def test_merging_what_was_merged_changes_nothing(sources: list[list[str]]) -> None:
    """The product as the only source gives the same header again."""
    cards = merged(*(from_source(*images) for images in sources))
    assert merged(Contribution(cards=tuple(cards))) == cards


@pytest.mark.spec("ESO-121", "ESO-127")
def test_the_default_copy_takes_all_but_what_belongs_to_the_file() -> None:
    """Structure, description of data, checksums and reserved keywords do not travel."""
    own = [
        *(
            "SIMPLE",
            "BITPIX",
            "NAXIS",
            "NAXIS1",
            "NAXIS12",
            "EXTEND",
            "XTENSION",
            "PCOUNT",
            "GCOUNT",
        ),
        *("TFIELDS", "TFORM", "TFORM3", "TBCOL7", "GROUPS", "BSCALE", "BZERO", "BLANK"),
        *("CHECKSUM", "DATASUM", "ARCFILE", "ORIGFILE", "DATE"),
    ]
    images = [f"{name:8}= 1" for name in own]
    others = [
        "DATE-OBS= 1",
        "TFORMAT = 1",
        "NAXISX  = 1",
        "HIERARCH ESO DATE = 1",
        "COMMENT c",
        " / text",
    ]
    assert texts(default_copy(cards_of(*images, *others, "", "END"))) == others


@pytest.mark.spec("ESO-127", "ESO-128")
def test_rules_are_absent_empty_or_there() -> None:
    """Absent copies by default, an empty list nothing, a rule what it selects."""
    cards = cards_of("A       = 1", "B       = 2", "NAXIS   = 0")
    only_b = KeywordRuleFilter(selection_patterns=["+v *", "-v A"])
    assert [card.name for card in apply_own_rules(cards, None, "f")] == ["A", "B", "NAXIS"]
    assert apply_own_rules(cards, [], "f") == []
    assert [card.name for card in apply_own_rules(cards, [only_b], "f")] == ["B"]


@pytest.mark.spec("ESO-108")
def test_without_target_the_product_begins_empty() -> None:
    """NAXIS is 0 and extensions are announced."""
    cards = structure_cards(None)
    assert [(card.name, split_value(card)[0]) for card in cards] == [
        ("SIMPLE", "T"),
        ("BITPIX", "8"),
        ("NAXIS", "0"),
        ("EXTEND", "T"),
    ]


@pytest.mark.spec("ESO-109", "ESO-121")
def test_the_target_keeps_its_own_structure_and_scaling() -> None:
    """In the order of the standard: EXTEND behind the axes, then groups, then scaling."""
    target = cards_of(
        "SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 1", "NAXIS1  = 9", "EXTEND  = F",
        "OBJECT  = 'x'", "GROUPS  = T", "PCOUNT  = 1", "GCOUNT  = 2", "BZERO   = 32768",
    )  # fmt: skip
    assert [card.name for card in structure_cards(target)] == [
        *("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "EXTEND", "GROUPS", "PCOUNT", "GCOUNT", "BZERO"),
    ]
