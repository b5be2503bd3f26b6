"""What every user of a shared service needs: suppliers, consumers, the log handler.

These classes stand on the declarations; they are given typed stubs (or servants), and know
of a call only how long it may take.
"""

from idl_like_interfaces.clients.alarms import AlarmReporter
from idl_like_interfaces.clients.consumer import EventConsumer, Item
from idl_like_interfaces.clients.event_sender import EventSender, SenderEnded, SpoolFull, WhenFull
from idl_like_interfaces.clients.logs import LogForwarder, register_levels
from idl_like_interfaces.clients.monitor import Monitor
from idl_like_interfaces.clients.oldb import OldbWriter
from idl_like_interfaces.clients.oldb_watcher import OldbWatcher
from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.clients.project import KnownProject, ProjectReader
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.clients.sight import Blindness
from idl_like_interfaces.clients.supplier import EventSupplier
from idl_like_interfaces.clients.survey import Survey
from idl_like_interfaces.clients.watcher import NameWatcher

__all__ = [
    "AlarmReporter",
    "Blindness",
    "Event",
    "EventConsumer",
    "EventSender",
    "EventSupplier",
    "Item",
    "KnownProject",
    "LogForwarder",
    "Monitor",
    "NameWatcher",
    "OldbWatcher",
    "OldbWriter",
    "ProjectReader",
    "SenderEnded",
    "SpoolFull",
    "Survey",
    "WhenFull",
    "log_owner",
    "register_levels",
]
