"""What a status says of its alerts in one text."""

from __future__ import annotations

import json

from idl_like_interfaces.daqif import AlertSeverity, DaqAlert
from objects.component.alert_texts import as_text
from tests.support.clock import ManualClock

NOW = ManualClock().utc()
BAD = DaqAlert(id="a", severity=AlertSeverity.ERROR, description='it "failed"; é', time=NOW)
ODD = DaqAlert(id="b", severity=AlertSeverity.WARNING, description="it is odd", time=NOW)


def test_alerts_as_text_are_json() -> None:
    """Nothing is ``[]``; the text is for people and for scripts."""
    assert as_text([]) == "[]"
    assert json.loads(as_text([BAD, ODD])) == ['Error: it "failed"; é', "Warning: it is odd"]
