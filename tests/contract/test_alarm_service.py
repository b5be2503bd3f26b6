"""The alarm service, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import Pyro5.api
import Pyro5.errors
import pytest
from typing_extensions import override

from idl_like_interfaces.alarms import AlarmService
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.mapping.wire import revive
from tests.contract.alarm_service import AlarmServiceContract, Serving
from tests.support.alarms import AlarmBench, batch, report
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestAlarmService(AlarmServiceContract):
    """The servant over its log."""

    @pytest.fixture
    @override
    def serving(self, tmp_path: Path, mode: str) -> Iterator[Serving]:
        with (
            AlarmBench(tmp_path / "alarms") as bench,
            wired(bench.servant, AlarmService, mode) as service,
        ):
            yield Serving(service=service, wait=bench.wait, events=bench.events)


@pytest.mark.spec("E40")
@pytest.mark.parametrize("field", ["cause", "remedy"])
@pytest.mark.parametrize("said", [None, "", "  "])
def test_the_wire_takes_no_report_without_cause_and_remedy(
    tmp_path: Path, field: str, said: str | None
) -> None:
    """Left out, empty or blank: a stock client is refused, too, and nothing of the batch is taken."""
    sent = msgspec.to_builtins(batch(1, report("good"), report("bare")))
    if said is None:
        del sent["reports"][1][field]
    else:
        sent["reports"][1][field] = said
    with AlarmBench(tmp_path / "alarms") as bench, ObjectAdapter() as adapter:
        uri = adapter.activate(bench.servant, AlarmService, "tested")
        with Pyro5.api.Proxy(uri) as proxy, pytest.raises(Pyro5.errors.PyroError) as refusal:
            proxy.report(sent)
        bench.wait(1.0)
        error = revive(refusal.value)
        assert isinstance(error, BadParam)
        assert field in str(error)
        assert bench.servant.get_alarms() == []
