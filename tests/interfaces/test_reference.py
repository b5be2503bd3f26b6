"""The reference pages are those of the declarations, and no interface broke its clients."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idl_like_interfaces.declare import Interface, parse_repository_id
from idl_like_interfaces.description import InterfaceDescription, describe, types_of
from idl_like_interfaces.idl.compare import missing_version
from idl_like_interfaces.idl.pages import page_name, write_page
from idl_like_interfaces.idl.registry import declared
from tests.interfaces.reference import (
    CURRENT,
    FROZEN,
    PAGES,
    frozen,
    pages,
    snapshots,
    stale,
    write,
)


def test_the_pages_are_up_to_date() -> None:
    """``make reference`` writes them."""
    assert stale(PAGES, pages()) == [], "run `make reference`"


def test_the_snapshots_are_up_to_date() -> None:
    """So a review shows what a change of a declaration does to the wire."""
    assert stale(CURRENT, snapshots()) == [], "run `make reference`"


@pytest.mark.parametrize("released", list(frozen()), ids=lambda each: each.repository_id)
def test_clients_of_a_release_are_not_broken(released: InterfaceDescription) -> None:
    """What changes raises the version: the minor one, or the major one when clients fail."""
    path = parse_repository_id(released.repository_id)[0]
    now = {parse_repository_id(each.repository_id)[0]: each for each in declared()}
    assert path in now, f"{path} is gone: its clients find nothing"
    assert missing_version(released, describe(now[path])) == ""


def test_something_was_released() -> None:
    """An empty folder would guard nothing."""
    assert len(list(FROZEN.glob("*.json"))) >= 10


@pytest.mark.parametrize("interface", declared(), ids=lambda each: each.repository_id)
def test_a_page_tells_everything(interface: Interface) -> None:
    """Each operation, parameter, struct, field and error has its place."""
    page = write_page(interface)
    names = {each.cls.__name__ for each in types_of(interface)} | set(interface.operations)
    for operation in interface.operations.values():
        names |= {each.__name__ for each in operation.raises}
        for parameter in operation.parameters:
            assert f"| `{parameter.name}` |" in page
    for name in names:
        assert f"\n### {name}\n" in page


@pytest.mark.parametrize("name", list(pages()))
def test_a_page_links_to_what_exists(name: str) -> None:
    """Within the page and among the pages."""
    text = re.sub("`[^`]*`", "", pages()[name])
    for target in re.findall(r"\]\(([^)]+)\)", text):
        page, _, anchor = target.partition("#")
        assert not page or (PAGES / page).exists()
        assert page or f"### {anchor}\n" in text


def test_every_interface_has_its_own_page() -> None:
    """No page is written over by another one."""
    assert len({page_name(each) for each in declared()}) == len(declared())


def test_writing_removes_what_is_gone(tmp_path: Path) -> None:
    """A page of an interface that is no more does not stay."""
    (tmp_path / "old.md").write_text("old")
    write(tmp_path, {"new.md": "new"}, clear=True)
    assert [each.name for each in tmp_path.iterdir()] == ["new.md"]
    assert stale(tmp_path, {"new.md": "newer"}) == ["new.md"]
