"""Records are found by names of keywords, in several dictionaries."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.dictionaries import Dictionary, DictionaryForm
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.names import matcher
from tests.support.dictionaries import of, record


def _named(name: str, *records: object) -> Dictionary:
    return Dictionary(path=name, form=DictionaryForm.YAML, name=name, records=list(records))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keyword", "found"),
    [
        ("INS FILT1 ID", "INS(#) FILT# ID"),
        ("INS2 FILT3 ID", "INS(#) FILT# ID"),
        ("INS FILT9 ID", "INS FILT9 ID"),
        ("INS7 FILT9 ID", "INS7 FILT# ID"),
        ("INS FILT ID", None),
        ("INS(#) FILT# ID", None),
        ("INS FILT1 ID2", None),
        ("", None),
        ("INS SLIT12 ID", "INS SLIT1# ID"),
        ("INS SLIT21 ID", None),
        ("A1B2C3D4E5F6G7", "A#B#C#D#E#F#G#"),
        ("A1B2C3D4E5F6G", None),
        ("B1B2C3D4E5F6", "B1B#C#D#E#F#"),
    ],
)
def test_the_most_special_name_is_found(keyword: str, found: str | None) -> None:
    """Without placeholders before with few before with many."""
    known = of(
        record("INS(#) FILT# ID"),
        record("INS FILT9 ID"),
        record("INS7 FILT# ID"),
        record("INS SLIT1# ID"),
        record("A#B#C#D#E#F#G#"),
        record("B1B#C#D#E#F#"),
        record("B#B#C#D#E#F#"),
    )
    got = known.find(keyword)
    assert (got.name if got else None) == found


def test_the_first_dictionary_counts_and_the_other_one_is_told() -> None:
    """With both places, and whether they differ."""
    first = _named("a", record("A", unit="m"), record("B"))
    second = _named("b", record("A", unit="s"), record("B", description="else"), record("C"))
    both = Dictionaries([first, second])
    found = both.find("A")
    assert found is not None
    assert found.unit == "m"
    assert both.find("C") is not None
    assert [(each.name, each.used, each.unused, each.is_same) for each in both.duplicates] == [
        ("A", "a:1", "b:1", False),
        ("B", "a:1", "b:1", True),
    ]


@pytest.mark.parametrize("names", ["INS SYS{} VAL", "INS SYS{} PAR#", "DET {letters}# VAL"])
def test_ten_thousand_records_cost_a_look_up_nothing(names: str) -> None:
    """Ten times as many records, the same time; judged within this run."""

    def duration(count: int) -> float:
        all_names = [names.format(n, letters=_letters(n)) for n in range(count)]
        known = of(*(record(name) for name in all_names))
        asked = [name.replace("#", "7") for name in all_names[:: count // 500]]
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            assert all(known.find(name) is not None for name in asked)
            best = min(best, time.perf_counter() - begin)
        return best

    assert duration(10_000) < 5 * duration(1_000)


def _letters(number: int) -> str:
    return "".join(chr(ord("A") + int(digit)) for digit in str(number))


def test_similar_names_are_proposed() -> None:
    """For who mistypes."""
    assert of(record("OBSERVER"), record("OBJECT")).similar("OBSERVR") == ["OBSERVER"]


@given(
    st.lists(
        st.sampled_from(["A", "B1", "C#", "D(#)", "E2#", "F#3", "G#H#"]), min_size=1, max_size=5
    ),
    st.lists(
        st.sampled_from(["A", "B1", "C12", "D", "D5", "E27", "F43", "G1H2"]), min_size=1, max_size=5
    ),
)
def test_a_look_up_finds_what_the_expression_of_a_name_fits(
    name: list[str], keyword: list[str]
) -> None:
    """The table is a short cut, nothing else."""
    joined, asked = " ".join(name), " ".join(keyword)
    fits = bool(matcher(joined).fullmatch(asked))
    assert (of(record(joined)).find(asked) is not None) is fits
