"""What every implementation of ``Supervisor`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.supervision import NoSuchPart, PartState, Supervisor


class SupervisorContract:
    """Inherit it and give the fixture ``supervisor``."""

    @pytest.fixture
    def supervisor(self) -> Iterator[Supervisor]:
        """Yield the supervisor of two parts that run, ``first`` and ``second``."""
        raise NotImplementedError

    def restarted(self) -> list[str]:
        """Return the parts that were started again."""
        raise NotImplementedError

    def test_it_says_how_all_parts_stand(self, supervisor: Supervisor) -> None:
        """In the order of the installation, each with its process."""
        status = supervisor.get_status()
        assert [each.name for each in status.parts] == ["first", "second"]
        assert {each.state for each in status.parts} == {PartState.RUNNING}
        assert len({each.pid for each in status.parts}) == 2
        assert all(each.since >= status.started for each in status.parts)
        assert not any(each.is_alarming for each in status.parts)
        assert status.installation
        assert status.file
        assert status.host

    def test_it_restarts_one_part(self, supervisor: Supervisor) -> None:
        """The one that is named, and no other."""
        supervisor.restart("second")
        assert self.restarted() == ["second"]

    @pytest.mark.parametrize("part", ["", "third", "first/", "x" * 1000])
    def test_a_part_that_is_none_is_refused(self, supervisor: Supervisor, part: str) -> None:
        """The refusal names those that there are."""
        with pytest.raises(NoSuchPart) as refused:
            supervisor.restart(part)
        assert refused.value.part == part
        assert "first, second" in refused.value.remedy
        assert self.restarted() == []
