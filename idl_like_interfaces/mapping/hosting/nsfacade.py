"""Pyro5's own name server, spoken in front of ours.

With it the unmodified ``pyro5-nsc``, ``PYRONAME:`` proxies and ``locate_ns`` work.
Pyro5's names are flat and ours are paths: ``a/b`` is the object ``b`` in the context ``a``,
which is made when it is missing. Pyro5's tags are a set of texts: a tag ``key=value`` is
the mark ``key`` of the binding, a tag without ``=`` a mark without a value, and the
binding's interface is the tag ``interface=IDL:…``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import Pyro5.core
import Pyro5.errors
import Pyro5.nameserver
from Pyro5.server import expose
from typing_extensions import override

from idl_like_interfaces.declare import parse_repository_id
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping.hosting.patterns import PatternRefused, select_matching
from idl_like_interfaces.naming import (
    AlreadyBound,
    Binding,
    BindingType,
    NamingContext,
    NotFound,
    NotFoundReason,
)

OBJECT_ID: str = Pyro5.core.NAMESERVER_NAME
"""Under which every Pyro5 client looks for a name server."""

Entry: TypeAlias = tuple[str, set[str]]

P = ParamSpec("P")
R = TypeVar("R")

_OWN_TAG = "class:Pyro5.nameserver.NameServer"
_INTERFACE_TAG = "interface="


def tags_of(binding: Binding) -> set[str]:
    """Say a binding's interface and marks in Pyro5's tags."""
    marks = {f"{key}={value}" if value else key for key, value in binding.metadata.items()}
    return marks | ({_INTERFACE_TAG + binding.interface} if binding.interface else set())


def from_tags(tags: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Split Pyro5's tags into interface (empty without) and marks; no tag is lost."""
    interface = ""
    metadata: dict[str, str] = {}
    for tag in sorted(set(tags)):
        key, _, value = tag.partition("=")
        if not interface and tag.startswith(_INTERFACE_TAG) and _is_repository_id(value):
            interface = value
        elif key and value and key not in metadata:
            metadata[key] = value
        else:
            metadata[tag] = ""
    return interface, metadata


def _is_repository_id(text: str) -> bool:
    try:
        parse_repository_id(text)
    except ValueError:
        return False
    return True


def _in_stock_terms(function: Callable[P, R]) -> Callable[P, R]:
    """Let refusals reach a stock client as the error that it expects."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RemoteError as error:
            raise Pyro5.errors.NamingError(error.explain().replace("\n", "; ")) from error
        except PatternRefused as error:
            raise Pyro5.errors.NamingError(str(error)) from error

    return call


class ContextStorage(MutableMapping[str, Any]):
    """What Pyro5's name server wants of a storage, on a naming context.

    Args:
        context: The root context.
        own_uri: Where the name server itself is.
    """

    def __init__(self, context: NamingContext, own_uri: str) -> None:
        self._context = context
        self._own: Entry = (own_uri, {_OWN_TAG})

    @override
    def __getitem__(self, name: str) -> Entry:
        binding = self._object(name)
        if binding is None:
            raise KeyError(name)
        return (binding.uri, tags_of(binding)) if isinstance(binding, Binding) else binding

    @override
    def __setitem__(self, name: str, entry: tuple[str, Iterable[str] | None]) -> None:
        uri, tags = entry
        interface, metadata = from_tags(tags or ())
        _refuse_own(name)
        old = self._object(name)
        lease_id = ""
        if isinstance(old, Binding) and old.uri == uri:
            # New tags for the same object: its lease and its kind are not Pyro5's to change.
            lease_id, interface = old.lease_id, interface or old.interface
        self._in_context(
            name, lambda: self._context.rebind(name, uri, interface, metadata, lease_id)
        )

    @override
    def __delitem__(self, name: str) -> None:
        _refuse_own(name)
        self._context.unbind(name)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.everything(return_metadata=True))

    @override
    def __len__(self) -> int:
        return len(self.everything(return_metadata=True))

    def add(self, name: str, uri: str, tags: Iterable[str]) -> None:
        """Bind a name that must be free.

        Raises:
            AlreadyBound: It is not.
        """
        _refuse_own(name)
        interface, metadata = from_tags(tags)
        self._in_context(name, lambda: self._context.bind(name, uri, interface, metadata))

    def everything(self, return_metadata: bool = False) -> dict[str, Any]:
        """Return all objects by full path, with or without their tags."""
        found: dict[str, Entry] = {OBJECT_ID: self._own}
        for binding in self._context.list("", recursive=True).bindings:
            if binding.type is BindingType.OBJECT:
                found[binding.name] = (binding.uri, tags_of(binding))
        if return_metadata:
            return dict(found)
        return {name: uri for name, (uri, _) in found.items()}

    def remove_items(self, names: Iterable[str]) -> None:
        """Unbind names; those that are gone meanwhile are no error."""
        for name in names:
            with contextlib.suppress(LookupError):
                del self[name]

    def optimized_prefix_list(self, prefix: str, return_metadata: bool = False) -> dict[str, Any]:
        """Return the objects whose path begins so, case and all."""
        everything = self.everything(return_metadata)
        return {name: entry for name, entry in everything.items() if name.startswith(prefix)}

    # Pyro5 asks for these two and does the work itself when the answer is None.

    def optimized_regex_list(self, *_: Any, **__: Any) -> None:
        """Never asked: the facade matches patterns itself."""

    def optimized_metadata_search(self, *_: Any, **__: Any) -> None:
        """Leave it to Pyro5: compare the tags of all names."""

    def close(self) -> None:
        """Nothing to release: the naming context belongs to the name server."""

    def _in_context(self, name: str, bind: Callable[[], None]) -> None:
        """Bind; when contexts above the name are missing, make them and bind then."""
        try:
            bind()
        except NotFound as error:
            if error.why is not NotFoundReason.MISSING_NODE:
                raise
            parts = name.split("/")
            for depth in range(1, len(parts)):
                with contextlib.suppress(AlreadyBound):
                    self._context.bind_new_context("/".join(parts[:depth]))
            bind()

    def _object(self, name: Any) -> Binding | Entry | None:
        if name == OBJECT_ID:
            return self._own
        if not isinstance(name, str):
            return None
        try:
            binding = self._context.resolve(name)
        except (LookupError, ValueError):
            return None
        return binding if binding.type is BindingType.OBJECT else None


def _refuse_own(name: str) -> None:
    if name == OBJECT_ID:
        text = f"{name} is the name server's own name: it cannot be changed or removed"
        raise Pyro5.errors.NamingError(text)


@expose
class StockNameServer(Pyro5.nameserver.NameServer):  # type: ignore[misc]
    """Pyro5's name server on a naming context; register it as ``Pyro.NameServer``.

    Args:
        context: The root context.
        own_uri: Where this object will be.
    """

    def __init__(self, context: NamingContext, own_uri: str) -> None:
        super().__init__(ContextStorage(context, own_uri))

    @override
    def count(self) -> int:
        return len(self.storage)

    @override
    @_in_stock_terms
    def lookup(self, name: str, return_metadata: bool = False) -> Any:
        return super().lookup(name, return_metadata)

    @override
    @_in_stock_terms
    def register(
        self,
        name: str,
        uri: Any,
        safe: bool = False,
        metadata: Iterable[str] | None = None,
    ) -> None:
        if not safe:
            super().register(name, uri, metadata=metadata)
            return
        _check_registration(name, uri, metadata)
        try:
            self.storage.add(name, str(uri), metadata or ())
        except AlreadyBound as error:
            raise Pyro5.errors.NamingError(f"name already registered: {name}") from error

    @override
    @_in_stock_terms
    def set_metadata(self, name: str, metadata: Iterable[str] | None) -> None:
        super().set_metadata(name, metadata)

    @override
    @_in_stock_terms
    def remove(
        self, name: str | None = None, prefix: str | None = None, regex: str | None = None
    ) -> int:
        if name or prefix or not regex:
            return int(super().remove(name, prefix))
        names = self.list(regex=regex).keys() - {OBJECT_ID}
        self.storage.remove_items(names)
        return len(names)

    @override
    @_in_stock_terms
    def list(
        self,
        prefix: str | None = None,
        regex: str | None = None,
        return_metadata: bool = False,
    ) -> dict[str, Any]:
        if prefix or not regex:
            return dict(super().list(prefix, regex, return_metadata))
        everything = self.storage.everything(return_metadata)
        names = select_matching(regex, everything)
        return {name: entry for name, entry in everything.items() if name in names}

    @override
    @_in_stock_terms
    def yplookup(
        self,
        meta_all: Iterable[str] | None = None,
        meta_any: Iterable[str] | None = None,
        return_metadata: bool = True,
    ) -> dict[str, Any]:
        return dict(super().yplookup(meta_all, meta_any, return_metadata))


def _check_registration(name: Any, uri: Any, metadata: Any) -> None:
    """Refuse with the errors of the stock server what it refuses too."""
    if not isinstance(uri, Pyro5.core.URI | str):
        message = "only URIs or strings can be registered"
        raise TypeError(message)
    Pyro5.core.URI(uri)
    if not isinstance(name, str):
        message = "name must be a str"
        raise TypeError(message)
    if isinstance(metadata, str):
        message = "metadata should not be a str, but another iterable (set, list, etc)"
        raise TypeError(message)
