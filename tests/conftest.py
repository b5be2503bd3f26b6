"""What holds for every test: nothing is left behind, and rows are known."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.leaks import Watch

pytest_plugins = ["tests.specification.plugin", "pytester"]

SOAK = os.environ.get("OBSORB_SOAK") == "1"

hypothesis.settings.register_profile(
    "fast", max_examples=50, deadline=None, derandomize="CI" in os.environ
)
hypothesis.settings.register_profile("soak", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("soak" if SOAK else "fast")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of full counts, unless ``OBSORB_SOAK=1`` asks for them."""
    if SOAK:
        return
    left_out = [item for item in items if item.get_closest_marker("soak")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a listening socket, a child or a variable.

    Fixtures of wider scope are set up before this one and may keep theirs.
    """
    before = Watch.now()
    yield
    leaks = before.leaks()
    if leaks:
        pytest.fail("the test left behind:\n  " + "\n  ".join(leaks), pytrace=False)
