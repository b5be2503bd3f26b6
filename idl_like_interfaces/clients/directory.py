"""What is bound below a context, all of it."""

from __future__ import annotations

from idl_like_interfaces.naming import Binding, BindingType, NamingContext

_PAGE = 500


def list_all(context: NamingContext, name: str = "") -> list[Binding]:
    """Return all bindings below a context, page by page.

    Raises:
        NotFound: There is no such context.
        CommFailure: The name server does not answer.
    """
    found: list[Binding] = []
    after = ""
    while True:
        page = context.list(name, recursive=True, how_many=_PAGE, after=after)
        found += page.bindings
        after = page.more
        if not after:
            return found


def objects_of(bindings: list[Binding]) -> list[Binding]:
    """Return those that are objects of a declared interface.

    An object of stock Pyro5 is bound without one, and does not answer what ``Object`` asks.
    """
    return [each for each in bindings if each.type is BindingType.OBJECT and each.interface]
