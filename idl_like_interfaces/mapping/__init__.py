"""The language mapping: interfaces over Pyro5. The only code that knows Pyro5."""

from idl_like_interfaces.mapping.calling.batches import Batch, Outcome, batch
from idl_like_interfaces.mapping.calling.dialing import use_tls
from idl_like_interfaces.mapping.calling.stub import (
    aio,
    aio_release,
    is_uri,
    narrow,
    release,
    release_when_gone,
)
from idl_like_interfaces.mapping.hosting.daemon import ObjectAdapter
from idl_like_interfaces.mapping.wire import make_incarnation

__all__ = [
    "Batch",
    "ObjectAdapter",
    "Outcome",
    "aio",
    "aio_release",
    "batch",
    "is_uri",
    "make_incarnation",
    "narrow",
    "release",
    "release_when_gone",
    "use_tls",
]
