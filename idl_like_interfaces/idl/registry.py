"""Which interfaces are declared, and where."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import idl_like_interfaces
from idl_like_interfaces.declare import Interface, interface_of, is_compatible, parse_repository_id


class NoSuchInterface(LookupError):
    """Nothing declared has that name; the text says what is nearest."""


@cache
def declared() -> tuple[Interface, ...]:
    """Return all interfaces that obsorb declares, sorted by repository id."""
    found = [
        interface_of(member)
        for module in pkgutil.iter_modules(idl_like_interfaces.__path__)
        if not module.ispkg
        for member in vars(import_module(f"{idl_like_interfaces.__name__}.{module.name}")).values()
        if isinstance(member, type) and "__repository_id__" in vars(member)
    ]
    unique = {each.repository_id: each for each in found}
    return tuple(unique[id] for id in sorted(unique))


def find(text: str) -> Interface:
    """Return the declaration that a text means.

    Args:
        text: A repository id, with or without its version; the name of an interface, with
            or without its path (``daqif/OcmDaqControl``); or ``package.module:Class``.

    Raises:
        NoSuchInterface: There is none, or it is in another version.
    """
    module, colon, name = text.partition(":")
    if colon and module != "IDL":
        return _imported(module, name)
    if text.startswith("IDL:"):
        return _of_id(text)
    fitting = [each for each in declared() if _is_named(each, text)]
    if len(fitting) != 1:
        what = "several interfaces" if fitting else "no interface"
        raise NoSuchInterface(f"{what} {text!r} in the declarations of obsorb{_hint(text)}")
    return fitting[0]


def known(repository_id: str) -> Interface | None:
    """Return the declaration of exactly that repository id, ``None`` without one."""
    return next((each for each in declared() if each.repository_id == repository_id), None)


def short_name(repository_id: str) -> str:
    """Return the last part of the path of a repository id."""
    return parse_repository_id(repository_id)[0].rpartition("/")[2]


def _of_id(text: str) -> Interface:
    try:
        path, _ = parse_repository_id(text)
    except ValueError as error:
        raise NoSuchInterface(str(error)) from error
    for each in declared():
        if is_compatible(each.repository_id, text):
            return each
    other = [e.repository_id for e in declared() if parse_repository_id(e.repository_id)[0] == path]
    hint = f"; there is {other[0]}" if other else _hint(path.rpartition("/")[2])
    raise NoSuchInterface(f"no interface {text} in the declarations of obsorb{hint}")


def _imported(module: str, name: str) -> Interface:
    try:
        return interface_of(getattr(import_module(module), name))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise NoSuchInterface(f"{module}:{name} is not a declared interface: {error}") from error


def _is_named(interface: Interface, text: str) -> bool:
    path = parse_repository_id(interface.repository_id)[0]
    return path == text or path.endswith(f"/{text}")


def _hint(text: str) -> str:
    from difflib import get_close_matches

    names = {short_name(each.repository_id).lower(): each for each in declared()}
    close = get_close_matches(text.rpartition("/")[2].lower(), names, n=2)
    if not close:
        return ""
    return f"; did you mean {' or '.join(short_name(names[c].repository_id) for c in close)}?"
