"""The limits of grey: whichever values an image lacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from objects.products.quicklook import panels
from objects.products.quicklook.contents import Part, opened
from objects.products.quicklook.panels import panel
from objects.products.quicklook.stretch import limits
from tests.support.fits import write_fits


@pytest.mark.parametrize("first", [0, 1])
def test_every_other_column_may_have_no_value(first: int) -> None:
    """The sample is taken of the values that there are."""
    values = np.random.default_rng(1).normal(100, 5, (400, 400))
    values[:, first::2] = np.nan
    found = limits(values)
    assert found is not None
    assert 50 < found[0] < 100 < found[1] < 150


def test_an_image_that_cannot_be_coloured_costs_its_own_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel says why."""

    def confused(_values: object) -> None:
        raise IndexError("nothing to sample")

    monkeypatch.setattr(panels, "limits", confused)
    with opened(write_fits(tmp_path / "a.fits", data=np.ones((4, 4)))) as file:
        found = panel(file, Part(index=0, name="X", text="", shape=(4, 4)), (200, 200))
    assert (found.picture, found.note) == (None, "not drawn: nothing to sample")
