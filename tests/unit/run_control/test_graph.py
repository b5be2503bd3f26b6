"""Configurations are checked before anything is started; levels follow from who waits for whom."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.run_configuration import Writer, WriterKind
from objects.run_control.graph import (
    acquisition,
    check_configuration,
    depths_of,
    find_circle,
    start_order,
)
from tests.support.runs import configuration, logger_writer


def acquiring(name: str = "daq", **changes: object) -> Writer:
    return Writer(
        **{  # type: ignore[arg-type]
            "name": name,
            "kind": WriterKind.ACQUISITION,
            "reference": "obs/ocm/daq",
            "configuration": {"sources": []},
            **changes,
        }
    )


def test_levels_follow_from_who_waits_for_whom() -> None:
    """Who waits for nobody starts first; the others one level above the highest before them."""
    writers = [
        logger_writer("a", 1, after=["b", "c"]),
        logger_writer("b", 2),
        logger_writer("c", 3, after=["b"]),
        acquiring("d", after=["b"]),
    ]
    levels = [[each.name for each in level] for level in start_order(writers)]
    assert levels == [["b"], ["c", "d"], ["a"]]


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(st.sets(st.integers(0, n - 1)), min_size=n, max_size=n)
    )
)
def test_every_graph_has_an_order_or_a_circle(edges: list[set[int]]) -> None:
    """Without a circle everybody stands above all that he waits for; a circle is one indeed."""
    after = {str(n): sorted(map(str, others)) for n, others in enumerate(edges)}
    circle = find_circle(after)
    if circle:
        assert circle[0] == circle[-1]
        assert all(two in after[one] for one, two in itertools.pairwise(circle))
    else:
        depths = depths_of([logger_writer(n, int(n), after=o) for n, o in after.items()])
        assert all(depths[n] > depths[o] for n, others in after.items() for o in others)


@pytest.mark.spec("D65")
@pytest.mark.parametrize(
    ("writers", "field"),
    [
        ([logger_writer("a", 1), logger_writer("a", 2)], "configuration.writers[1].name"),
        (
            [logger_writer("a", 1), logger_writer("b", 2, reference="obs/logger/a/control")],
            "configuration.writers[1].reference",
        ),
        ([logger_writer("a", 1, after=["x"])], "configuration.writers[0].after[0]"),
        (
            [logger_writer("a", 1, after=["b"]), logger_writer("b", 2, after=["a"])],
            "configuration.writers[0].after",
        ),
        ([logger_writer("a", 1, after=["a"])], "configuration.writers[0].after"),
        (
            [logger_writer("a", 1), logger_writer("b", 1)],
            "configuration.writers[1].configuration.streams[0].id",
        ),
        (
            [logger_writer("a", 1, configuration={"streams": []})],
            "configuration.writers[0].configuration.streams",
        ),
        (
            [logger_writer("a", 1, init={"eventPort": "no"})],
            "configuration.writers[0].init.eventPort",
        ),
        (
            [logger_writer("a", 1, configuration={"streams": [{"name": "../x", "id": 1}]})],
            "configuration.writers[0].configuration.streams[0].name",
        ),
        (
            [acquiring(configuration={"sources": [], "id": "always"})],
            "configuration.writers[0].configuration.id",
        ),
        ([acquiring(configuration={})], "configuration.writers[0].configuration.sources"),
        ([acquiring(init={"eventPort": 1})], "configuration.writers[0].init"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_path(
    writers: list[Writer], field: str
) -> None:
    """Unknown names, circles, doubles, and what the writers themselves would refuse."""
    with pytest.raises(BadParam) as refused:
        check_configuration(configuration(*writers))
    assert refused.value.field == field


def test_the_number_of_the_run_stands_in_the_id_of_its_acquisition() -> None:
    """Without an id one is made of run and writer."""
    named = acquiring(configuration={"sources": [], "id": "night-{run}"})
    assert acquisition(named, 7).id == "night-000000007"
    assert acquisition(acquiring(), 7).id == "run000000007-daq"
