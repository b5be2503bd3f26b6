"""The language mapping: interfaces over Pyro5. The only code that knows Pyro5."""

from idl_like_interfaces.mapping.daemon import ObjectAdapter
from idl_like_interfaces.mapping.dialing import use_tls
from idl_like_interfaces.mapping.stub import is_uri, narrow, release
from idl_like_interfaces.mapping.wire import make_incarnation

__all__ = ["ObjectAdapter", "is_uri", "make_incarnation", "narrow", "release", "use_tls"]
