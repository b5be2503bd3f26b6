"""Local names of source files, and locations."""

from __future__ import annotations

import json
import socket

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import FitsFileSource
from objects.products.intake import is_same, read_specification
from objects.products.locations import local_names, parse_location
from tests.support.products import specification

HERE = frozenset({"", "localhost", "me"})


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("/a/b.fits", "", "/a/b.fits"),
        ("far:/a/b.fits", "far", "/a/b.fits"),
        ("me:/a/b.fits", "", "/a/b.fits"),
        ("localhost:/a:b/c d.fits", "", "/a:b/c d.fits"),
    ],
)
def test_a_location_is_a_path_of_this_or_another_host(text: str, host: str, path: str) -> None:
    """The own name of the host means this one."""
    location = parse_location(text, HERE)
    assert (location.host, str(location.path)) == (host, path)
    assert location.is_local is (host == "")


@pytest.mark.parametrize("text", ["", "a.fits", "./a.fits", "far:a.fits", ":x"])
def test_what_is_no_location_is_refused(text: str) -> None:
    """The text is repeated in the error."""
    with pytest.raises(ValueError, match="neither an absolute path nor host:/path"):
        parse_location(text, HERE)


def test_this_host_knows_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its host name, with its domain and without, and localhost."""
    assert {socket.gethostname(), "localhost", ""} <= local_names()
    monkeypatch.setattr(socket, "gethostname", lambda: "dpm1")
    monkeypatch.setattr(socket, "getfqdn", lambda: "dpm1.obs.example")
    assert {"dpm1", "dpm1.obs.example"} <= local_names.__wrapped__()


def test_the_target_comes_first_and_keyword_sources_have_no_index() -> None:
    """Only the target's copy is one that the merger may change."""
    target = {"type": "fitsFile", "sourceName": "t", "location": "/t/x.fits"}
    keywords = {"type": "fitsKeywords", "sourceName": "ocm", "keywords": []}
    document = json.loads(specification("A.1", "/a/x.fits", "/b/x.fits", target={"source": target}))
    document["sources"].insert(1, keywords)
    local, files = read_specification(json.dumps(document), HERE)
    assert [(f.path, f.is_target) for f in files] == [
        ("sources/0_t_x.fits", True),
        ("sources/1_s0_x.fits", False),
        ("sources/2_s1_x.fits", False),
    ]
    locations = [s.location for s in local.sources if isinstance(s, FitsFileSource)]
    assert locations == ["sources/1_s0_x.fits", "sources/2_s1_x.fits"]
    assert local.target.source is not None
    assert local.target.source.location == "sources/0_t_x.fits"


def test_a_name_that_is_too_long_keeps_its_end() -> None:
    """The copy's name fits a file system, whatever the origin's was."""
    wide = "é" * 125 + ".fits"
    _local, (file,) = read_specification(specification("A.1", f"/a/{wide}"), HERE)
    name = file.path.removeprefix("sources/")
    assert len(name.encode()) <= 255 - len(".part") - 1
    assert name.startswith("0_s0_é")
    assert name.endswith(".fits")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "specification"),
        (specification("A.1", sauces=[]), "sauces"),
        (specification("..", "/a.fits"), "specification.id"),
        (specification("A/1", "/a.fits"), "id"),
        (specification("A.1", "a.fits"), "neither an absolute path"),
        (specification("A.1", "/a/.."), "names no file"),
        (specification("A.1", "/"), "names no file"),
        (specification("A.1", "/a\0b"), "control character"),
        (specification("A.1", receivers=[{"type": "dvd", "path": "/x"}]), "receivers"),
    ],
)
def test_a_bad_specification_is_refused_with_its_place(text: str, says: str) -> None:
    """The error says what is wrong, and has the error of the interface."""
    with pytest.raises(DaqException) as refused:
        read_specification(text, HERE)
    assert says in refused.value.message


def test_equal_requests_are_known_again() -> None:
    """A true is not a 1: the text counts, not Python's equality."""

    def with_value(value: object) -> str:
        keyword = {"type": "valueKeyword", "name": "X", "value": value}
        source = {"type": "fitsKeywords", "sourceName": "k", "keywords": [keyword]}
        return json.dumps({"id": "A", "target": {"fileId": "A"}, "sources": [source]})

    one, same, other = (read_specification(with_value(v), HERE) for v in (1, 1, True))
    assert is_same(one, same)
    assert not is_same(one, other)


@pytest.mark.parametrize(
    "location",
    [
        "-oProxyCommand=x:/a.fits",
        "a b:/a.fits",
        "$(x):/a.fits",
        "@:/a.fits",
        "a@-b:/a.fits",
        "/a/../b.fits",
        "far:/a/../b.fits",
    ],
)
def test_a_location_that_could_mislead_is_refused(location: str) -> None:
    """Options of ssh in place of a host, and ways upwards."""
    with pytest.raises(DaqException, match=r"has a part|nor host:/path") as refused:
        read_specification(specification("A.1", location), HERE)
    assert refused.value.remedy


@pytest.mark.parametrize(
    "receiver", [{"host": "-x", "path": "/in"}, {"path": "/in/../etc"}, {"path": "/in/.."}]
)
def test_a_receiver_that_could_mislead_is_refused(receiver: dict[str, str]) -> None:
    """It is named by its place in the list."""
    wanted = [{"type": "olasReceiver", "path": "/in"}, {"type": "olasReceiver", **receiver}]
    with pytest.raises(DaqException, match=r"receivers\[1\]\.(host|path): "):
        read_specification(specification("A.1", receivers=wanted), HERE)


def test_a_user_may_be_given_with_a_host() -> None:
    """As ssh takes it."""
    assert parse_location("obs@far.example.org:/a.fits", HERE).host == "obs@far.example.org"


def test_a_file_that_is_named_twice_is_merged_once() -> None:
    """The target counts before the sources, the first source before the others."""
    source = {"type": "fitsFile", "sourceName": "t", "location": "/a.fits"}
    text = specification(
        "A.1", "/b.fits", "/a.fits", "me:/b.fits", "/x//b.fits", target={"source": source}
    )
    made, files = read_specification(text, HERE)
    assert [(file.source_name, file.path, file.named_by) for file in files] == [
        ("t", "sources/0_t_a.fits", ("s1",)),
        ("s0", "sources/1_s0_b.fits", ("s2",)),
        ("s3", "sources/2_s3_b.fits", ()),
    ]
    assert len(made.sources) == 2


def test_a_file_that_is_named_twice_with_other_rules_is_merged_twice() -> None:
    """Somebody wants that: its keywords would be lost."""
    document = json.loads(specification("A.1", "/a.fits", "/a.fits"))
    document["sources"][1]["keywordRules"] = []
    _made, files = read_specification(json.dumps(document), HERE)
    assert [(file.source_name, file.named_by) for file in files] == [("s0", ()), ("s1", ())]
