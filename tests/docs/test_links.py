"""Links of README and documentation lead to something, and pages can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import ROOT, Page, all_pages

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")
_BARE_MODULE_RUN = re.compile(r"(?m)^\s*(?:\$ )?(?:\S*/)?python3? -m (?!venv|pip)")
_PAGES = all_pages()
_PROJECT_PAGES = [
    Page.read(ROOT / name) for name in ("CONTRIBUTING.md", "CHANGELOG.md") if (ROOT / name).exists()
]


def _broken_links(page: Page) -> list[str]:
    return [
        target
        for target in page.links()
        if not _ELSEWHERE.match(target) and not _leads_somewhere(page, target)
    ]


def _leads_somewhere(page: Page, target: str) -> bool:
    place, _, anchor = target.partition("#")
    path = (page.path.parent / place).resolve() if place else page.path
    if not path.exists():
        return False
    return not anchor or path.suffix != ".md" or anchor in Page.read(path).anchors()


@pytest.mark.parametrize("page", _PAGES + _PROJECT_PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Page) -> None:
    """Files exist, and so do the headings that are pointed at."""
    assert _broken_links(page) == []


def test_every_page_is_reached_from_the_index() -> None:
    """Following links from the first page of the documentation misses none."""
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or not path.exists() or path.suffix != ".md":
            continue
        reached.add(path)
        targets = (link.partition("#")[0] for link in Page.read(path).links())
        waiting += [(path.parent / target).resolve() for target in targets if target]
    docs = {page.path for page in _PAGES if page.path.parent != ROOT}
    assert sorted(path.relative_to(ROOT).as_posix() for path in docs - reached) == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_pages_name_console_scripts(page: Page) -> None:
    """No page runs a module by name: a package of another distribution might answer."""
    assert [fence.line for fence in page.fences() if _BARE_MODULE_RUN.search(fence.text)] == []
