"""The event channel as a component."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.events import EventChannel
from objects.messaging.components import EventChannelComponent
from tests.support.batches import make_batch
from tests.support.site import FakeSite


def test_the_channel_s_epoch_is_its_component_s_incarnation(tmp_path: Path) -> None:
    """A restarted component is a new epoch; the object is offered under its known path."""
    site = FakeSite(tmp_path)
    component = EventChannelComponent(site, EventChannelComponent.Settings())
    component.recover()
    (offered,) = component.objects()
    assert (offered.path, offered.interface) == ("events", EventChannel)
    assert offered.servant.publish(make_batch(1, ["a"])).epoch == site.incarnation
    assert component.detail() == "1 events, 0 consumers"
    component.stop()


def test_the_channel_holds_what_its_settings_say(tmp_path: Path) -> None:
    """The bounds come from the installation file."""
    settings = msgspec.convert({"max_events": 2}, EventChannelComponent.Settings)
    component = EventChannelComponent(FakeSite(tmp_path), settings)
    channel = component.objects()[0].servant
    for first in range(1, 6):
        channel.publish(make_batch(first, ["a"]))
    assert channel.get_stats().first == 4


@pytest.mark.parametrize("wrong", [{"max_events": 0}, {"max_event": 1}, {"forget_after_s": "x"}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """Values out of range, unknown names and wrong types."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, EventChannelComponent.Settings)


def test_the_processes_start_without_heavy_libraries() -> None:
    """Importing the components loads nothing that costs a start-up."""
    program = (
        "import sys, objects.messaging.components, objects.messaging.log_component, idl_like_interfaces.clients; "
        "print(sorted({'astropy', 'numpy', 'rich', 'typer', 'sqlalchemy', 'Pyro5'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=50
    )
    assert done.stdout.strip() == "[]"
