"""The table of states and commands."""

from __future__ import annotations

import re

import pytest

from idl_like_interfaces.run_control import Phase, RunRefused
from objects.run_control import phases
from objects.run_control.phases import NEXT, STEPS, Order, next_phase


def _documented() -> dict[tuple[str, str], str]:
    lines = (phases.__doc__ or "").splitlines()
    head = next(line for line in lines if line.startswith("command"))
    names = head.split()[1:]
    rows = [line.split() for line in lines if re.match(r"(end|abort|pause|resume) ", line)]
    return {(row[0], n): cell for row in rows for n, cell in zip(names, row[1:], strict=True)}


@pytest.mark.spec("D70")
def test_the_table_in_the_text_is_the_table_in_the_code() -> None:
    """Each cell agrees; what is refused says state and remedy."""
    for (command, name), cell in _documented().items():
        order, phase = Order(command), Phase(name)
        if cell == "refused":
            with pytest.raises(RunRefused) as refused:
                next_phase(order, phase, 7)
            assert refused.value.remedy
            assert refused.value.reasons == [f"run 7 is {name}"]
        else:
            wanted = phase if cell == "again" else Phase(cell)
            assert next_phase(order, phase, 7) is wanted


def test_commands_make_only_steps_that_there_are() -> None:
    """No command leads where no change of state leads."""
    for table in NEXT.values():
        assert all(new is old or new in STEPS[old] for old, new in table.items())
