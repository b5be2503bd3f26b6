"""Records are found by names of keywords, in several dictionaries."""

from __future__ import annotations

import time

import pytest

from idl_like_interfaces.dictionaries import Dictionary, DictionaryForm
from objects.dictionaries.lookup import Dictionaries
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
    ],
)
def test_the_most_special_name_is_found(keyword: str, found: str | None) -> None:
    """Without placeholders before with few before with many."""
    known = of(record("INS(#) FILT# ID"), record("INS FILT9 ID"), record("INS7 FILT# ID"))
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


def test_ten_thousand_records_cost_a_look_up_nothing() -> None:
    """Ten times as many records, the same time; judged within this run."""

    def duration(count: int) -> float:
        known = of(
            *(record(f"INS SYS{n} VAL") for n in range(count // 2)),
            *(record(f"DET {_letters(n)}# VAL") for n in range(count // 2)),
        )
        asked = [f"INS SYS{n} VAL" for n in range(400)] + [
            f"DET {_letters(n)}7 VAL" for n in range(400)
        ]
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            assert all(known.find(name) is not None for name in asked)
            best = min(best, time.perf_counter() - begin)
        return best

    assert duration(10_000) < 10 * duration(1_000)


def _letters(number: int) -> str:
    return "".join(chr(ord("A") + int(digit)) for digit in str(number))


def test_similar_names_are_proposed() -> None:
    """For who mistypes."""
    assert of(record("OBSERVER"), record("OBJECT")).similar("OBSERVR") == ["OBSERVER"]
