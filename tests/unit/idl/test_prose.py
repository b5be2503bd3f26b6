"""Docstrings taken apart: the text, members, errors, reply."""

from __future__ import annotations

import pytest

from idl_like_interfaces.declare import Interface, interface_of
from idl_like_interfaces.description import describe
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.idl.prose import NOTHING, parse_docstring, prose_of
from idl_like_interfaces.idl.registry import NoSuchInterface, declared, find, known
from idl_like_interfaces.naming import NamingContext, NotFound

TEXT = """Take a batch; what was taken
    before is dropped.

    It never waits.

    Args:
        batch: What to take,
            all of it.
        limit: How many.

    Returns:
        Its sequence
        number.

    Raises:
        InvalidTopic: It is
            none: nothing was taken.
    """


def test_each_section_has_its_place() -> None:
    """Lines that go on are joined."""
    said = parse_docstring(TEXT)
    assert said.summary == "Take a batch; what was taken before is dropped."
    assert said.text.endswith("It never waits.")
    assert said.members == {"batch": "What to take, all of it.", "limit": "How many."}
    assert said.returns == "Its sequence number."
    assert said.raises == {"InvalidTopic": "It is none: nothing was taken."}


def test_nothing_is_said_of_what_has_no_docstring() -> None:
    """No docstring, no text."""
    assert parse_docstring(None) == NOTHING


def test_fields_are_told_by_their_names_on_the_wire() -> None:
    """A description knows no others."""
    said = prose_of(find("OcmDaqControl"))
    assert "fileId" in said["DaqStatus"].members
    assert "file_id" not in said["DaqStatus"].members


def test_values_of_enumerations_have_their_texts() -> None:
    """Those that stand below each value."""
    said = prose_of(interface_of(EventChannel))["GapReason"]
    assert said.members["retention"] == "The channel no longer holds them."


def test_errors_have_the_fields_of_their_bases() -> None:
    """An error has them, so they are told."""
    said = prose_of(interface_of(NamingContext))[NotFound.repository_id]
    assert "why" in said.members


@pytest.mark.parametrize("interface", declared(), ids=lambda each: each.repository_id)
def test_every_operation_says_what_it_does(interface: Interface) -> None:
    """And of each struct and error what it is, and no member is told that does not exist."""
    description, said = describe(interface), prose_of(interface)
    names = [*description.operations, *(each.name for each in description.structs)]
    names += [each.repository_id for each in description.errors]
    assert [name for name in [*names, interface.repository_id] if not said[name].text] == []
    for each in description.structs:
        assert said[each.name].members.keys() <= {one.name for one in each.fields}
    for operation in description.signatures:
        told = said[operation.name].members.keys()
        assert told <= {one.name for one in operation.parameters}


@pytest.mark.parametrize(
    "text", ["EventChannel", "events/EventChannel", "IDL:obsorb/events/EventChannel"]
)
def test_an_interface_is_found_by_each_of_its_names(text: str) -> None:
    """Short, with its path, with or without the version."""
    assert find(text) is interface_of(EventChannel)
    assert known("IDL:obsorb/events/EventChannel:2.0") is interface_of(EventChannel)


@pytest.mark.parametrize("text", ["Channel", "", "IDL:x", "IDL:a b", "os:path", "no.module:X"])
def test_what_is_no_interface_is_refused(text: str) -> None:
    """In words, whatever it is."""
    with pytest.raises(NoSuchInterface):
        find(text)
    assert known(text) is None
