"""``obsorb names`` over a real name server."""

from __future__ import annotations

import pytest

from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, ok, refused


def test_list_prints_each_binding(small: SmallInstallation) -> None:
    """A line with name, interface and URI; contexts end with a slash."""
    lines = ok("names", "list").splitlines()
    assert "obs/ocm/" in lines
    (line,) = [each for each in lines if each.startswith("obs/ocm/daq")]
    assert "IDL:obsorb/daqif/OcmDaqControl" in line
    assert "PYRO:obs/ocm/daq~" in line


def test_list_as_json_is_an_array_of_bindings(small: SmallInstallation) -> None:
    """With the member names of the declaration."""
    found = {each["name"]: each for each in document("names", "list")}
    assert found["obs"]["type"] == "context"
    assert found["obs/events"]["metadata"]["component"] == "small"


def test_list_of_a_context_is_a_part(small: SmallInstallation) -> None:
    """Only what is below it."""
    assert {each["name"] for each in document("names", "list", "obs/ocm")} == {
        "obs/ocm/daq", "obs/ocm/std",
    }  # fmt: skip


def test_tree_shows_interfaces_and_leases(small: SmallInstallation) -> None:
    """Interface in short, and what is left of the lease; no colours in a pipe."""
    text = ok("names", "tree")
    assert "── ocm" in text
    assert "daqif/OcmDaqControl:3.2  lease " in text
    assert "\x1b" not in text


def test_tree_as_json_has_bindings_and_leases(small: SmallInstallation) -> None:
    """Both in one document."""
    found = document("names", "tree")
    assert [each["holder"] for each in found["leases"]] == ["small"]
    assert len(found["bindings"]) == 6


def test_resolve_prints_the_uri(small: SmallInstallation) -> None:
    """Ready for a stock client."""
    assert ok("names", "resolve", "obs/ocm/daq").startswith("PYRO:obs/ocm/daq~")
    assert document("names", "resolve", "obs/ocm/daq")["name"] == "obs/ocm/daq"
    assert "is a context" in ok("names", "resolve", "obs")


def test_ping_says_who_answers_and_how_fast(small: SmallInstallation) -> None:
    """One object: round trip, host, process, incarnation."""
    text = ok("names", "ping", "obs/events")
    assert " ms " in text
    assert small.adapter.incarnation in text


def test_ping_of_a_context_asks_all_below(small: SmallInstallation) -> None:
    """In JSON with the round trip in seconds."""
    answers = document("names", "ping", "obs")
    assert [each["alive"] for each in answers] == [True] * 4
    assert 0 < answers[0]["round_trip_s"] < 60
    assert answers[0]["identity"]["incarnation"] == small.adapter.incarnation


def test_ping_of_a_dead_object_fails(small: SmallInstallation) -> None:
    """Those that answer are printed, the others named on stderr; exit code 1."""
    small.adapter.deactivate("obs/ocm/std")
    error = refused("names", "ping", "obs")
    assert "1 of 4 did not answer: obs/ocm/std" in error
    assert "remedy: " in error


def test_unknown_name_is_refused_with_a_remedy(small: SmallInstallation) -> None:
    """The name is in the message."""
    error = refused("names", "resolve", "obs/nobody")
    assert "obs/nobody" in error
    assert "remedy: " in error


def test_malformed_name_is_refused(small: SmallInstallation) -> None:
    """Not taken for an unknown one."""
    assert "error: " in refused("names", "resolve", "obs//x y")


@pytest.mark.parametrize(
    "arguments", [["names", "list"], ["daq", "getactivelist"], ["log", "query"]]
)
def test_absent_name_server_is_explained(arguments: list[str]) -> None:
    """Where it was looked for, why it may not be there, what to do."""
    error = refused("--names", "localhost:1", *arguments)
    assert "the name server localhost:1 cannot be reached" in error
    assert "cause: " in error
    assert "remedy: start an installation" in error


def test_malformed_address_is_refused() -> None:
    """With an example."""
    error = refused("--names", "nonsense", "names", "list")
    assert "nonsense" in error
    assert "HOST:PORT" in error


def test_option_of_the_command_wins_over_that_of_the_group(small: SmallInstallation) -> None:
    """The nearest one counts, and it wins over the environment."""
    ok("--names", "localhost:1", "names", "list", "--names", small.address)
    refused("--names", small.address, "names", "list", "--names", "localhost:1")


def test_shared_options_may_stand_at_every_place(small: SmallInstallation) -> None:
    """Before the group, between group and verb, behind the verb."""
    expected = ok("names", "list", "obs/ocm", "--json")
    assert ok("--json", "names", "list", "obs/ocm") == expected
    assert ok("names", "--json", "list", "obs/ocm") == expected
    assert ok("names", "--names", small.address, "--root", "obs", "list", "obs/ocm") != expected
