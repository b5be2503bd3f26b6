"""Declarations: what they say, and what they must not say."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import datetime
from typing import Any, Protocol

import pytest

import idl_like_interfaces
from idl_like_interfaces.declare import interface, interface_of, is_compatible, operation
from idl_like_interfaces.errors import BadParam, RemoteError, error_of, fields_of
from tests.support.echo import Echo, Point, Refused


def declared_interfaces() -> list[type]:
    """Return every interface of the package."""
    modules = (
        importlib.import_module(f"idl_like_interfaces.{module.name}")
        for module in pkgutil.iter_modules(idl_like_interfaces.__path__)
    )
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and "__repository_id__" in vars(value)
    }
    return sorted(found, key=lambda each: each.__name__)


@pytest.mark.parametrize("declared", declared_interfaces(), ids=lambda each: each.__name__)
class TestEveryInterface:
    """What holds for all of them."""

    def test_types_can_travel(self, declared: type) -> None:
        """Every parameter and reply has a type that the wire can carry."""
        assert interface_of(declared).operations

    def test_each_operation_has_a_contract(self, declared: type) -> None:
        """A docstring, in which each declared error is told."""
        for name, each in interface_of(declared).operations.items():
            text = inspect.getdoc(getattr(declared, name)) or ""
            assert text, f"{declared.__name__}.{name} has no docstring"
            for error in each.raises:
                assert (
                    f"{error.__name__}:" in text
                    or error.__name__ in text.partition("As ``")[0]
                    or "As ``" in text
                ), f"{declared.__name__}.{name} does not tell when it raises {error.__name__}"

    def test_repository_ids_are_unique(self, declared: type) -> None:
        """No two interfaces share an id."""
        own = interface_of(declared).repository_id
        others = [each for each in declared_interfaces() if each is not declared]
        assert own not in {interface_of(each).repository_id for each in others}


@pytest.mark.parametrize(
    ("offered", "wanted", "fits"),
    [
        ("IDL:a/B:1.2", "IDL:a/B:1.2", True),
        ("IDL:a/B:1.2", "IDL:a/B:1.0", True),
        ("IDL:a/B:1.2", "IDL:a/B:1.3", False),
        ("IDL:a/B:2.0", "IDL:a/B:1.0", False),
        ("IDL:a/B:1.2", "IDL:a/C:1.2", False),
        ("IDL:a/B:1.2", "IDL:a/B", True),
    ],
)
def test_versions_fit_by_major_and_minor(offered: str, wanted: str, fits: bool) -> None:
    """Same path, same major, minor not older."""
    assert is_compatible(offered, wanted) is fits


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (float, "declare Finite"),
        (datetime, "declare UtcTime"),
        (bytes, "declare Octets"),
        (complex, "not a declared struct"),
        (list[float], "declare Finite"),
        (dict[str, bytes], "declare Octets"),
        (tuple[int, float], "declare Finite"),
        (set[bytes], "declare Octets"),
        (float | None, "declare Finite"),
    ],
)
def test_what_the_wire_cannot_carry_is_refused(annotation: Any, reason: str) -> None:
    """A declaration with a careless type does not even load."""

    class Careless(Protocol):
        def take(self, value: Any) -> None: ...

    Careless.take.__annotations__["value"] = annotation
    operation()(Careless.take)
    declared = interface("IDL:test/Careless:1.0")(Careless)
    with pytest.raises(TypeError, match=reason):
        interface_of(declared)


def test_an_undeclared_class_is_no_interface() -> None:
    """A Python class alone does not do."""
    with pytest.raises(TypeError, match="not declared"):
        interface_of(dict)


def test_an_interface_needs_a_version() -> None:
    """Without a version nobody could tell old from new."""
    with pytest.raises(ValueError, match="version"):
        interface("IDL:test/Versionless")


def test_a_long_poll_needs_its_timeout() -> None:
    """The stub could not know how long to wait."""

    class Endless(Protocol):
        @operation(long_poll=True)
        def wait(self) -> None:
            """Wait."""

    with pytest.raises(TypeError, match="timeout_s"):
        interface_of(interface("IDL:test/Endless:1.0")(Endless))


class TestErrors:
    """The tree of errors."""

    def test_fields_are_read_from_annotations(self) -> None:
        """Own and inherited fields, with their types."""
        assert fields_of(Refused) == {"id": str, "point": Point}

    def test_a_missing_field_is_a_programmers_mistake(self) -> None:
        """An error cannot be raised half."""
        with pytest.raises(TypeError, match="takes the fields"):
            Refused("no", id="x")

    def test_an_id_belongs_to_one_class(self) -> None:
        """Two classes with one repository id would revive wrongly."""
        with pytest.raises(TypeError, match="is declared by Refused"):

            class Twin(RemoteError, repository_id="IDL:test/Refused:1.0"):
                """Never made."""

    def test_a_class_is_found_by_its_id(self) -> None:
        """The registry knows it; an unknown id is told by None."""
        assert error_of("IDL:test/Refused:1.0") is Refused
        assert error_of("IDL:test/None:1.0") is None

    def test_built_in_bases_fit(self) -> None:
        """A caller may catch what a Python reader expects."""
        assert issubclass(BadParam, ValueError)
        assert issubclass(Refused, LookupError)

    def test_an_error_explains_itself(self) -> None:
        """Message, cause, remedy, each on its line, only those that there are."""
        assert RemoteError("a", cause="b", remedy="c").explain() == "a\ncause: b\nremedy: c"
        assert RemoteError("a").explain() == "a"


def test_the_echo_is_declared() -> None:
    """An interface tells its operations in full."""
    declared = interface_of(Echo)
    assert declared.repository_id == "IDL:test/Echo:1.2"
    assert declared.operations["wait"].long_poll
    assert declared.operations["echo"].idempotent
    assert [p.name for p in declared.operations["add"].parameters] == ["a", "b"]
