"""Keywords that sources contradict each other about are told, with all that was said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.merging import (
    COLLISIONS_TOLD,
    LOSERS_TOLD,
    CollisionSide,
    KeywordCollision,
    MergeExit,
    MergeMessageType,
)
from objects.products.merge.cards import parse_card
from objects.products.merge.collisions import Collision, declared
from objects.products.merge.plan import OCM_STANDARD, Contribution, merge_cards
from tests.support.merging import FILE_ID, Bench, primary_header


def contribution(source: str, *images: str) -> Contribution:
    cards = tuple(parse_card(image) for image in images)
    return Contribution(source=source, cards=cards, is_ocm=source == "ocm")


def collisions(*contributions: Contribution) -> Sequence[Collision]:
    return merge_cards(contributions, []).collisions


def test_a_collision_names_winner_and_losers_with_their_values() -> None:
    """By priority; of an ESO keyword the name begins with ESO."""
    (first, second) = collisions(
        contribution("a", "X       = 1 / one", "HIERARCH ESO INS T = 2.5"),
        contribution("b", "X       = 2"),
        contribution("c", "X       = 'three'", "HIERARCH ESO INS T = 3.5"),
    )
    assert declared(first) == KeywordCollision(
        keyword="X",
        winner=CollisionSide(source="a", value="1"),
        losers=[CollisionSide(source="b", value="2"), CollisionSide(source="c", value="'three'")],
    )
    assert declared(second).keyword == "ESO INS T"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.0", "1.00E0"),
        ("1D3", "1000."),
        ("'text'", "'text    '"),
        ("5 / so", "5 / or so"),
        ("007", "7"),
    ],
)
def test_who_says_the_same_does_not_collide(one: str, other: str) -> None:
    """However it is written, and whatever the comment is."""
    values = [
        contribution(name, f"X       = {value}") for name, value in (("a", one), ("b", other))
    ]
    assert collisions(*values) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "2"), ("'1'", "1"), ("T", "'T'"), ("", "0"), ("9007199254740993", "9007199254740992")],
)
def test_another_value_or_type_is_a_collision(one: str, other: str) -> None:
    """Also where a double could not tell two integers apart."""
    values = [
        contribution(name, f"X       = {value}") for name, value in (("a", one), ("b", other))
    ]
    assert len(collisions(*values)) == 1


def test_a_standard_keyword_of_the_ocm_is_told_as_the_winner_over_the_target() -> None:
    """Its place in the list of sources does not matter."""
    (found,) = collisions(
        contribution("target", "INSTRUME= 'STIS'"), contribution("ocm", "INSTRUME= 'INSX'")
    )
    assert (found.winner.source, found.losers[0].source) == ("ocm", "target")


def test_commentary_does_not_collide() -> None:
    """It is kept from everybody."""
    assert collisions(contribution("a", "COMMENT a"), contribution("b", "COMMENT b")) == []


def test_what_is_told_of_a_collision_is_bounded() -> None:
    """Of many losers the first and a count, of a long value its begin."""
    many = [contribution(f"s{number}", f"X       = {number}") for number in range(50)]
    (found,) = collisions(*many)
    assert (len(declared(found).losers), declared(found).more_losers) == (
        LOSERS_TOLD,
        49 - LOSERS_TOLD,
    )


NAMES = st.sampled_from(["A", "B", "INSTRUME", "ORIGIN"])
SOURCES = st.lists(st.dictionaries(NAMES, st.integers(0, 3), max_size=4), min_size=1, max_size=5)


@given(sources=SOURCES, ocm=st.integers(0, 5))
def test_winners_and_losers_are_those_of_a_plain_model(
    sources: list[dict[str, int]], ocm: int
) -> None:
    """The first wins, but for standard keywords of the OCM; who differs from it has lost."""
    names = ["ocm" if number == ocm else f"s{number}" for number in range(len(sources))]
    given_cards = [
        contribution(name, *(f"{key:8}= {value}" for key, value in values.items()))
        for name, values in zip(names, sources, strict=True)
    ]
    merged = merge_cards(given_cards, [])
    found = {each.winner.card.name: each for each in merged.collisions}
    for key in {key for values in sources for key in values}:
        said = [
            (name, values[key])
            for name, values in zip(names, sources, strict=True)
            if key in values
        ]
        by_ocm = [pair for pair in said if pair[0] == "ocm" and key in OCM_STANDARD]
        winner = (by_ocm or said)[0]
        losers = [pair for pair in said if pair[1] != winner[1]]
        (card,) = [card for card in merged.cards if card.key == (CardKind.VALUE, key)]
        assert card.images[0] == f"{key:8}= {winner[1]}".ljust(80)
        if losers:
            told = declared(found.pop(key))
            assert (told.winner.source, int(told.winner.value)) == winner
            assert [(side.source, int(side.value)) for side in told.losers] == losers
    assert not found


def test_collisions_are_messages_of_the_merge(bench: Bench) -> None:
    """One for each keyword, before anything is written; in a dry run, too."""
    bench.aim("t", {"INSTRUME": "STIS", "EXPTIME": 3.5})
    bench.add("s", {"EXPTIME": 4.0, "OBJECT": "M31"})
    bench.give("ocm", INSTRUME="INSX", OBJECT="M31")
    for dry_run in (True, False):
        bench.messages.clear()
        assert bench.merge(dry_run=dry_run) == MergeExit.OK
        told = [message.content for message in bench.of(MergeMessageType.COLLISION)]
        assert [each.collision and each.collision.keyword for each in told] == [
            "INSTRUME",
            "EXPTIME",
        ]
        assert told[1].message == "keyword EXPTIME: 3.5 of t wins over 4.0 of s"
        types = [message.type for message in bench.messages]
        assert types.index(MergeMessageType.COLLISION) < len(types) - 1
    assert primary_header(bench.product)["EXPTIME"] == 3.5


def test_the_merger_wins_over_a_file_name_that_a_user_gives(bench: Bench) -> None:
    """ARCFILE is told; DATE and checksums, which always differ, are not."""
    bench.give("user", ARCFILE="mine.fits", DATE="1999-01-01", CHECKSUM="x")
    assert bench.merge() == MergeExit.OK
    (told,) = [message.content.collision for message in bench.of(MergeMessageType.COLLISION)]
    assert told is not None
    assert told.winner == CollisionSide(source="merger", value=f"'{FILE_ID}.fits'")
    assert told.losers == [CollisionSide(source="user", value="'mine.fits'")]


def test_collisions_after_a_renaming_are_like_any_others(bench: Bench) -> None:
    """Also between two keywords of one source."""
    rule = {"type": "transform", "selectionPatterns": ["+v *"], "regex": "^B$", "format": "A"}
    bench.add("s", {"A": 1, "B": 2}, spec={"keywordRules": [rule]})
    assert bench.merge() == MergeExit.OK
    (told,) = [message.content.collision for message in bench.of(MergeMessageType.COLLISION)]
    assert told is not None
    assert (told.keyword, told.winner.value, told.losers[0].value) == ("A", "1", "2")
    assert primary_header(bench.product)["A"] == 1


def test_a_flood_of_collisions_is_told_in_part_and_counted(bench: Bench) -> None:
    """The first 200 one by one, the others as a number."""
    count = COLLISIONS_TOLD + 7
    bench.give("one", **{f"K{number}": 1 for number in range(count)})
    bench.give("two", **{f"K{number}": 2 for number in range(count)})
    assert bench.merge() == MergeExit.OK
    told = [message.content for message in bench.of(MergeMessageType.COLLISION)]
    assert len(told) == COLLISIONS_TOLD + 1
    assert (told[-1].collision, told[-1].omitted) == (None, 7)
