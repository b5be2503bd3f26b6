"""IDL text that a CORBA compiler takes, and which says what the declaration says."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from idl_like_interfaces.declare import (
    Document,
    Interface,
    Value,
    interface,
    interface_of,
    operation,
)
from idl_like_interfaces.description import describe
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.idl.omg import write_idl
from idl_like_interfaces.idl.omg_types import KEYWORDS
from idl_like_interfaces.idl.prose import prose_of
from idl_like_interfaces.idl.registry import declared
from idl_like_interfaces.octets import OctetBlocks, Octets
from tests.support.echo import Echo

needs_a_compiler = pytest.mark.skipif(
    importlib.util.find_spec("_omniidl") is None, reason="omniidl has no wheel for this Python"
)

# In a process of its own: the compiler is a program, and ends its process over some errors.
_COMPILE = """
import json, sys, _omniidl
from omniidl import idlast
tree = _omniidl.compile(open(sys.argv[1]), sys.argv[1])
if tree is None:
    sys.exit(1)
found = {}
def visit(node):
    for each in (node.declarations() if hasattr(node, "declarations") else node.definitions()):
        if isinstance(each, idlast.Module):
            visit(each)
        elif isinstance(each, idlast.Interface):
            found[each.repoId()] = {
                one.identifier(): {
                    "parameters": [p.identifier() for p in one.parameters()],
                    "raises": [e.repoId() for e in one.raises()],
                    "oneway": bool(one.oneway()),
                }
                for one in each.contents()
            }
        else:
            found[each.repoId() if hasattr(each, "repoId") else str(each)] = type(each).__name__
visit(tree)
print(json.dumps(found))
"""


def compiled(text: str, folder: Path) -> dict[str, Any]:
    """Return what the compiler found in a text."""
    path = folder / "text.idl"
    path.write_text(text, encoding="ascii", errors="strict")
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + text
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Awkward(Value, frozen=True, kw_only=True):
    """A struct whose names IDL keeps for itself, */ and which ends comments."""

    sequence: int
    octets: Octets
    octetblocks: OctetBlocks | None = None
    awkward: list[list[Awkward]] = []
    table: dict[str, list[str]] = {}
    anything: Any = None


class Nothing(Document, frozen=True, kw_only=True, tag="nothing"):
    """A struct without fields."""


class Odd(RemoteError, repository_id="IDL:test/awkward/Union:1.0"):
    """An error whose name IDL keeps for itself."""


@interface("IDL:test/module/Interface:2.7")
class AwkwardInterface(Protocol):
    """Everything that is not straightforward."""

    @operation(Odd)
    def readonly(
        self, struct: Awkward, context: dict[str, int] | None = None
    ) -> Nothing | int | None:
        """Take and give.

        Returns:
            One of the two.

        Raises:
            Odd: Sometimes.
        """

    @operation(oneway=True)
    def tell(self, any: Any) -> None:
        """Say something."""


@needs_a_compiler
@pytest.mark.parametrize(
    "interface",
    [*declared(), interface_of(Echo), interface_of(AwkwardInterface)],
    ids=lambda each: each.repository_id,
)
def test_a_compiler_finds_what_was_declared(interface: Interface, tmp_path: Path) -> None:
    """Operations, parameters, exceptions and repository ids come out as they went in."""
    description = describe(interface)
    found = compiled(write_idl(description, prose_of(interface)), tmp_path)
    operations = found[interface.repository_id]
    own = interface.python.__name__.lower()  # in IDL nothing in it may have the same name
    assert operations == {
        f"{each.name}_" if each.name == own else each.name: {
            "parameters": [one.name for one in each.parameters],
            "raises": each.raises,
            "oneway": each.oneway,
        }
        for each in description.signatures
    }
    assert [id for id, kind in found.items() if kind == "Exception"] == [
        each.repository_id for each in description.errors
    ]
    structs = {id.rpartition("/")[2].partition(":")[0] for id, k in found.items() if k == "Struct"}
    assert {each.name for each in description.structs} <= structs


@needs_a_compiler
def test_a_description_alone_is_enough(tmp_path: Path) -> None:
    """Of an object whose declaration is not at hand only the comments are missing."""
    text = write_idl(describe(interface_of(Echo)))
    assert "IDL:test/Echo:1.2" in compiled(text, tmp_path)
    assert "Args" not in text


def test_what_idl_cannot_say_stands_in_comments() -> None:
    """Defaults, limits, roles and the text of each value."""
    (events,) = [each for each in declared() if each.repository_id.endswith("EventChannel:2.0")]
    text = write_idl(describe(events), prose_of(events))
    assert "[default 4096]" in re.sub(r"[\s*]+", " ", text)
    assert "@role observer, idempotent, long-poll" in text
    assert "GapReason_new_epoch,  // 'new_epoch': The channel was restarted" in text
    assert "typedef sequence<octet> Octets;" in text


def test_octets_are_sequences() -> None:
    """They never pass a serializer, and IDL says so in its own way."""
    assert "typedef sequence<Octets> OctetBlocks;" in write_idl(describe(interface_of(Echo)))


def test_keywords_are_escaped() -> None:
    """IDL knows no difference between lower and upper case."""
    text = write_idl(describe(interface_of(AwkwardInterface)))
    assert "long long _sequence;" in text
    assert "exception _Union {" in text
    assert "module _module {" in text
    assert {"union", "module", "octet"} <= set(KEYWORDS.split())
