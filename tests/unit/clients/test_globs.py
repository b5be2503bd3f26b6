"""Topic filters."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.clients.globs import TopicFilters, match_text
from idl_like_interfaces.event_errors import InvalidTopic


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("daq/status", "daq/status", True),
        ("daq/status", "daq/statu", False),
        ("daq/*", "daq/status", True),
        ("daq/*", "daq", False),
        ("daq/*", "daq/a/b", False),
        ("*", "daq/status", False),
        ("**", "daq/status", True),
        ("daq/**", "daq/a/b/c", True),
        ("daq/**", "daq", True),
        ("**/status", "a/b/status", True),
        ("**/status", "status", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/b/c", False),
        ("a/**/m/**/z", "a/m/n/m/z", True),
        ("d?q/st*us", "daq/status", True),
        ("d?q", "dq", False),
        ("a*b*c", "aXbXbXc", True),
        ("a*b*c", "aXbXbX", False),
    ],
)
def test_a_filter_takes_the_topics_that_it_means(pattern: str, topic: str, expected: bool) -> None:
    """``*`` stays within a component, ``**`` is any number of components, ``?`` one character."""
    filters = TopicFilters([pattern])
    assert filters.matches(topic) is expected
    assert filters.matches(topic) is expected  # the second answer is remembered


def test_one_matching_filter_is_enough() -> None:
    """Filters are alternatives."""
    filters = TopicFilters(["a/b", "c/*"])
    assert filters.matches("c/d")
    assert not filters.matches("a/c")


@given(pattern=st.text("ab*?", max_size=8), text=st.text("ab", max_size=10))
def test_text_globs_agree_with_the_standard_library(pattern: str, text: str) -> None:
    """On the wildcards that both know, the verdicts are the same."""
    assert match_text(pattern, text) is fnmatch.fnmatchcase(text, pattern)


def test_no_pattern_takes_long() -> None:
    """A pattern that makes backtracking matchers explode is judged at once."""
    began = time.process_time()
    assert not match_text("*a" * 100 + "b", "a" * 255)
    assert time.process_time() - began < 5.0


def test_many_topics_do_not_fill_the_memory() -> None:
    """The memory of verdicts is bounded and stays right."""
    filters = TopicFilters(["a/*1"])
    assert [filters.matches(f"a/{i}") for i in range(10_000)].count(True) == 1000
    assert len(filters._verdicts) <= 4096


@pytest.mark.parametrize("pattern", ["", "/", "a//b", "a**", "a/**b", "***", "a b", "x" * 256])
def test_a_malformed_filter_is_refused(pattern: str) -> None:
    """The refusal names the filter and says what one looks like."""
    with pytest.raises(InvalidTopic) as refusal:
        TopicFilters([pattern])
    assert refusal.value.topic == pattern or refusal.value.topic.startswith("xxx")
    assert "daq/**" in refusal.value.remedy


def test_thousands_of_filters_are_bounded() -> None:
    """Each of them is judged while others wait: so many are taken, one more is refused."""
    most = [f"a/*/{number}" for number in range(1000)]
    assert TopicFilters(most).matches("a/b/999")
    with pytest.raises(InvalidTopic, match="1001 topic filters") as refusal:
        TopicFilters([*most, "b"])
    assert refusal.value.cause
    assert refusal.value.remedy
