"""``obsorb names bind``, ``unbind``, ``export`` and ``import`` over a real name server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.naming import NamingContext, NotFound
from nameserver.client import Names
from nameserver.server import NameServer
from tests.unit.controller.running import document, obsorb, ok, refused

URI = "PYRO:guest@localhost:4711"
OTHER = "PYRO:guest@localhost:4712"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NamingContext]:
    """Yield the root context of a name server that the commands find."""
    with NameServer("localhost", 0) as server, Names(("localhost", server.port)) as client:
        monkeypatch.setenv("OBSORB_NAMES", f"localhost:{server.port}")
        yield client.context


def outcomes(*arguments: str, code: int = 0) -> dict[str, str]:
    """Import and return the outcome of each name."""
    result = obsorb("names", "import", *arguments, "--json")
    assert result.exit_code == code, result.output
    return {each["name"]: each["outcome"] for each in json.loads(result.stdout)}


class TestBind:
    """A name given by hand."""

    def test_all_that_was_given_is_bound(self, names: NamingContext) -> None:
        """With interface and marks, without a lease."""
        text = ok(
            "names", "bind", "obs/guest", URI, "--interface", "IDL:a/B:1.0", "--make-contexts",
            "--metadata", "site=paranal", "--metadata", "note=a=b",
        )  # fmt: skip
        assert text == f"obs/guest is bound to {URI}\n"
        found = names.resolve("obs/guest")
        assert (found.uri, found.interface, found.lease_id) == (URI, "IDL:a/B:1.0", "")
        assert found.metadata == {"site": "paranal", "note": "a=b"}

    def test_as_json_it_prints_the_binding(self, names: NamingContext) -> None:
        """As the name server has it."""
        assert document("names", "bind", "guest", URI)["uri"] == URI

    def test_a_taken_name_is_refused_and_replaced(self, names: NamingContext) -> None:
        """Refused without ``--rebind``."""
        names.bind("guest", URI)
        assert "bound already" in refused("names", "bind", "guest", OTHER)
        assert names.resolve("guest").uri == URI
        ok("names", "bind", "guest", OTHER, "--rebind")
        assert names.resolve("guest").uri == OTHER

    def test_a_missing_context_is_told_with_the_option(self, names: NamingContext) -> None:
        """The remedy is a command that can be typed."""
        error = refused("names", "bind", "obs/guest", URI)
        assert "'obs' does not exist" in error
        assert "remedy: give --make-contexts" in error

    def test_contexts_are_not_made_through_an_object(self, names: NamingContext) -> None:
        """The object in the way is named."""
        names.bind("obs", URI)
        assert f"'obs' is bound already, to {URI}" in refused(
            "names", "bind", "obs/guest", URI, "--make-contexts"
        )

    def test_a_mark_needs_a_value(self, names: NamingContext) -> None:
        """A usage error."""
        assert "KEY=VALUE" in refused("names", "bind", "a", URI, "--metadata", "x", code=2)

    @pytest.mark.parametrize("arguments", [("a b", URI), ("a", "localhost:1")])
    def test_what_cannot_be_bound_is_refused(
        self, names: NamingContext, arguments: tuple[str, str]
    ) -> None:
        """By the name server, with cause or remedy."""
        assert "remedy: " in refused("names", "bind", *arguments)


class TestUnbind:
    """A name taken by hand."""

    def test_an_object_loses_its_name(self, names: NamingContext) -> None:
        """And the contexts stay."""
        names.bind_new_context("obs")
        names.bind("obs/guest", URI)
        assert ok("names", "unbind", "obs/guest") == "obs/guest is unbound\n"
        assert [each.name for each in names.list(recursive=True).bindings] == ["obs"]

    def test_an_empty_context_goes(self, names: NamingContext) -> None:
        """One with names in it does not."""
        names.bind_new_context("obs")
        names.bind("obs/guest", URI)
        assert "still has 1 binding" in refused("names", "unbind", "obs")
        names.unbind("obs/guest")
        ok("names", "unbind", "obs")
        with pytest.raises(NotFound):
            names.resolve("obs")

    def test_a_name_under_a_lease_may_come_back(self, names: NamingContext) -> None:
        """The operator is told."""
        names.bind("ocm", URI, lease_id=names.grant_lease("ocm", 60.0).lease_id)
        assert "binds it again" in obsorb("names", "unbind", "ocm").stderr

    def test_an_unknown_name_is_refused(self, names: NamingContext) -> None:
        """With exit code 1."""
        assert "'obs' does not exist" in refused("names", "unbind", "obs")


@pytest.fixture
def furnished(names: NamingContext) -> NamingContext:
    """Give a name service with contexts, names of both kinds and marks."""
    for context in ("obs", "obs/a", "z"):
        names.bind_new_context(context)
    names.bind("obs/a/guest", URI, "IDL:a/B:1.0", {"site": "Cerro Ärmazones"})
    names.bind("b", OTHER)
    names.bind("obs/ocm", URI, lease_id=names.grant_lease("ocm", 600.0).lease_id)
    return names


class TestExport:
    """Names as a file."""

    def test_what_stands_without_a_lease_is_exported(
        self, furnished: NamingContext, tmp_path: Path
    ) -> None:
        """With contexts and marks, in a document that says what it is."""
        path = tmp_path / "names.json"
        assert ok("names", "export", str(path)) == ""
        found = json.loads(path.read_text(encoding="utf-8"))
        assert (found["format"], found["version"]) == ("obsorb names", 1)
        assert found["contexts"] == ["obs", "obs/a", "z"]
        assert [each["name"] for each in found["bindings"]] == ["b", "obs/a/guest"]
        assert found["bindings"][1] == {
            "name": "obs/a/guest", "uri": URI, "interface": "IDL:a/B:1.0",
            "metadata": {"site": "Cerro Ärmazones"}, "leased_to": "",
        }  # fmt: skip
        assert [each.name for each in tmp_path.iterdir()] == ["names.json"]

    def test_with_all_leased_names_are_marked(self, furnished: NamingContext) -> None:
        """With the holder of the lease; a dash is a pipe."""
        found = json.loads(ok("names", "export", "-", "--all"))
        leased = {each["name"]: each["leased_to"] for each in found["bindings"]}
        assert leased == {"b": "", "obs/a/guest": "", "obs/ocm": "ocm"}

    def test_what_cannot_be_written_is_told(self, furnished: NamingContext) -> None:
        """Cause and remedy."""
        assert "remedy: give a path" in refused("names", "export", "/proc/nowhere/names.json")

    def test_a_pipe_with_a_name_is_written_and_stays_one(
        self, furnished: NamingContext, tmp_path: Path
    ) -> None:
        """What is no file, such as ``/dev/null``, is never replaced by one."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            ok("names", "export", str(path))
            assert json.loads(os.read(reader, 65536))["format"] == "obsorb names"
        finally:
            os.close(reader)
        assert path.is_fifo()
        assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


class TestImport:
    """A file as names."""

    @pytest.fixture
    def file(self, furnished: NamingContext, tmp_path: Path) -> str:
        """Give the path of an export of everything."""
        path = tmp_path / "names.json"
        ok("names", "export", str(path), "--all")
        return str(path)

    def test_nothing_changes_where_all_is_there(self, furnished: NamingContext, file: str) -> None:
        """An import can be repeated."""
        before = furnished.list(recursive=True)
        assert outcomes(file) == {
            "b": "unchanged", "obs": "unchanged", "obs/a": "unchanged", "z": "unchanged",
            "obs/a/guest": "unchanged", "obs/ocm": "skipped",
        }  # fmt: skip
        assert furnished.list(recursive=True) == before

    def test_an_empty_name_server_gets_all_but_the_leased(
        self, file: str, names: NamingContext
    ) -> None:
        """From a pipe too; with the same marks, and without a lease."""
        before = {each.name: each for each in names.list(recursive=True).bindings}
        with NameServer("localhost", 0) as server, Names(("localhost", server.port)) as client:
            address = f"localhost:{server.port}"
            text = Path(file).read_text(encoding="utf-8")
            printed = ok("names", "import", "-", "--names", address, input=text)
            after = {each.name: each for each in client.context.list(recursive=True).bindings}
        assert "bound     obs/a/guest" in printed
        assert "skipped   obs/ocm                      it stood under a lease of ocm" in printed
        assert set(after) == set(before) - {"obs/ocm"}
        assert after["obs/a/guest"].metadata == before["obs/a/guest"].metadata

    def test_a_taken_name_is_refused_and_the_others_are_bound(
        self, furnished: NamingContext, file: str
    ) -> None:
        """Each for itself; the command fails."""
        furnished.rebind("b", URI)
        furnished.unbind("obs/a/guest")
        found = outcomes(file, code=1)
        assert (found["b"], found["obs/a/guest"]) == ("refused", "bound")
        assert furnished.resolve("b").uri == URI
        error = refused("names", "import", file)
        assert "1 of 6 names were refused" in error
        assert f"the first is b: it is bound to {URI}" in error

    def test_with_replace_a_taken_name_is_replaced(
        self, furnished: NamingContext, file: str
    ) -> None:
        """But not that of a living component, and no context."""
        furnished.rebind("b", URI)
        assert outcomes(file, "--replace")["b"] == "replaced"
        assert furnished.resolve("b").uri == OTHER
        lease = furnished.grant_lease("dpm", 600.0)
        furnished.rebind("b", URI, lease_id=lease.lease_id)
        furnished.unbind("obs/a/guest")
        furnished.bind_new_context("obs/a/guest")
        found = outcomes(file, "--replace", code=1)
        assert (found["b"], found["obs/a/guest"]) == ("refused", "refused")

    def test_contexts_above_are_made(self, names: NamingContext, tmp_path: Path) -> None:
        """Also when a document written by hand has forgotten them."""
        path = tmp_path / "names.json"
        path.write_text(text_of(bindings=[{"name": "a/b/c", "uri": URI}]))
        assert outcomes(str(path)) == {"a": "bound", "a/b": "bound", "a/b/c": "bound"}

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "truncated"),
            ("{", "truncated"),
            ("[]", "Expected `object`, got `array`"),
            ('{"format": "x", "version": 1}', "$.format is 'x'"),
            ('{"version": 1}', "missing required field `format`"),
        ],
    )
    def test_another_document_is_refused(
        self, names: NamingContext, tmp_path: Path, text: str, words: str
    ) -> None:
        """With what is wrong."""
        path = tmp_path / "names.json"
        path.write_text(text)
        error = refused("names", "import", str(path))
        assert words in error
        assert "nothing was imported" in error

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"version": 2}, "has version 2 of the format"),
            ({"extra": 1}, "unknown field `extra`"),
            ({"contexts": ["a b"]}, "$.contexts[0]"),
            ({"contexts": "a"}, "$.contexts"),
            ({"exported_at": "noon"}, "$.exported_at"),
            ({"bindings": [{"name": "a"}]}, "missing required field `uri` - at `$.bindings[0]`"),
            ({"bindings": [{"name": "a", "uri": "x"}]}, "$.bindings[0].uri"),
            ({"bindings": [{"name": "a//b", "uri": URI}]}, "$.bindings[0].name"),
            ({"bindings": [{"name": "a", "uri": URI, "metadata": {"k": 1}}]}, "metadata"),
            ({"bindings": [{"name": "a", "uri": URI}] * 2}, "'a' is there more than once"),
        ],
    )
    def test_a_wrong_field_is_named_and_nothing_imported(
        self, names: NamingContext, tmp_path: Path, changes: dict[str, Any], words: str
    ) -> None:
        """Where it is in the document."""
        path = tmp_path / "names.json"
        path.write_text(text_of(**changes))
        error = refused("names", "import", str(path))
        assert words in error
        assert "nothing was imported" in error
        assert names.list().bindings == []

    def test_a_missing_file_is_told(self, names: NamingContext) -> None:
        """Cause and remedy."""
        assert "remedy: give the path" in refused("names", "import", "/nowhere/names.json")


def text_of(**changes: Any) -> str:
    """Return an export without names, changed."""
    plain = {
        "format": "obsorb names", "version": 1, "exported_at": "2026-03-01T22:00:00Z",
        "contexts": [], "bindings": [],
    }  # fmt: skip
    return json.dumps(plain | changes)
