"""What every user of a shared service needs: suppliers, consumers, the log handler.

These classes stand on the declarations alone; they are given typed stubs (or servants)
and do not know how a call travels.
"""

from idl_like_interfaces.clients.alarms import AlarmReporter
from idl_like_interfaces.clients.consumer import EventConsumer
from idl_like_interfaces.clients.logs import LogForwarder, register_levels
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.clients.supplier import EventSupplier
from idl_like_interfaces.clients.survey import Survey
from idl_like_interfaces.clients.watcher import NameWatcher

__all__ = [
    "AlarmReporter",
    "Event",
    "EventConsumer",
    "EventSupplier",
    "LogForwarder",
    "NameWatcher",
    "Survey",
    "register_levels",
]
