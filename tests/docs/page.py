"""A Markdown page as tests see it: the steps that can be run, links, headings.

* A ``python`` fence is a step; the fences of a page share one namespace.
* A fence with ``title="NAME"`` is a file, written before the next step.
* Lines of a ``console`` fence that begin with ``$`` and a blank are steps on a page
  marked ``<!-- run: console -->``; the lines below them are expected in their output.
* A command in a ``console stays`` fence goes on beside the steps that follow its expected
  lines, and is ended by Ctrl-C after the last step.
* A line ``<!-- files: PATH ... -->`` puts files of the project there before the first step.
* On a page marked ``<!-- needs: port 9090 -->`` that port stands for any free one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<language>[\w+-]*)(?P<info>.*)")
_TITLE = re.compile(r'\btitle="(?P<title>[^"]+)"')
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)")
_HEADING = re.compile(r"#{1,6} +(?P<text>.+?) *#*")
_CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_FILES = re.compile(r"<!-- files: (?P<paths>.+) -->")
_STAYS = re.compile(r"\bstays\b")
_PROMPT = "$ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do, in the order of the page.

    Attributes:
        kind: ``python``, ``console``, ``stays`` or ``file``.
        line: Line number of its first line in the page.
        text: Code, command or content.
        name: Name of the file, else empty.
        expected: Lines that the command prints, in this order; ``...`` stands for anything.
    """

    kind: str
    line: int
    text: str
    name: str = ""
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block; ``line`` is that of its first line of content."""

    language: str
    title: str
    stays: bool
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        path: Where it is.
        text: All of it.
    """

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        """Read a page from its file."""
        return cls(path=path, text=path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """Its path from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def needs_installation(self) -> bool:
        """It asks for a running installation."""
        return "<!-- needs: installation -->" in self.text

    @property
    def needs_port(self) -> bool:
        """It starts a name server, at a port that a test must choose."""
        return "<!-- needs: port 9090 -->" in self.text

    @property
    def runs_console(self) -> bool:
        """It asks for its commands to be run."""
        return "<!-- run: console -->" in self.text

    def steps(self) -> list[Step]:
        """Return what is to be done to try the page."""
        steps = [step for fence in self.fences() for step in self._steps_of(fence)]
        return [*self._given_files(), *steps]

    def _given_files(self) -> Iterator[Step]:
        for number, line in enumerate(self.text.splitlines(), 1):
            if found := _FILES.fullmatch(line):
                for path in map(Path, found["paths"].split()):
                    text = (ROOT / path).read_text(encoding="utf-8")
                    yield Step(kind="file", line=number, text=text, name=path.name)

    def _steps_of(self, fence: Fence) -> Iterator[Step]:
        if fence.title:
            yield Step(kind="file", line=fence.line, text=fence.text, name=fence.title)
        elif fence.language == "python":
            yield Step(kind="python", line=fence.line, text=fence.text)
        elif fence.language == "console" and self.runs_console:
            yield from _commands(fence)

    def fences(self) -> list[Fence]:
        """Return the fenced blocks in order, without the indentation of lists."""
        return list(_fences(self.text.splitlines()))

    def prose(self) -> list[str]:
        """Return the lines outside of fences, without spans of code."""
        inside: set[int] = set()
        for fence in self.fences():
            inside.update(range(fence.line - 1, fence.line + fence.text.count("\n") + 1))
        lines = enumerate(self.text.splitlines(), 1)
        return [_CODE_SPAN.sub("`", line) for number, line in lines if number not in inside]

    def links(self) -> list[str]:
        """Return the targets of its links and pictures."""
        return [link["target"] for line in self.prose() for link in _LINK.finditer(line)]

    def anchors(self) -> set[str]:
        """Return the names by which links may point at its headings."""
        fenced = {line for fence in self.fences() for line in fence.text.splitlines()}
        headings = (_HEADING.fullmatch(line) for line in self.text.splitlines())
        return {_slug(each["text"]) for each in headings if each and each[0] not in fenced}


def all_pages() -> list[Page]:
    """Return the README and every page of the documentation."""
    readme = ROOT / "README.md"
    pages = sorted((ROOT / "docs").rglob("*.md"))
    return [Page.read(path) for path in [readme, *pages] if path.exists()]


def _fences(lines: list[str]) -> Iterator[Fence]:
    number = 0
    while number < len(lines):
        opening = _FENCE.fullmatch(lines[number])
        number += 1
        if opening is None:
            continue
        body: list[str] = []
        while number < len(lines) and lines[number].strip() != opening["ticks"]:
            body.append(lines[number].removeprefix(opening["indent"]))
            number += 1
        title = _TITLE.search(opening["info"])
        yield Fence(
            language=opening["language"],
            title=title["title"] if title else "",
            stays=_STAYS.search(opening["info"]) is not None,
            line=number - len(body) + 1,
            text="".join(f"{line}\n" for line in body),
        )
        number += 1


def _commands(fence: Fence) -> Iterator[Step]:
    lines = fence.text.splitlines()
    number = 0
    while number < len(lines):
        first = number
        if not lines[first].startswith(_PROMPT):
            raise ValueError(f"line {fence.line + first}: output without a command above it")
        command = [lines[number].removeprefix(_PROMPT)]
        while command[-1].endswith("\\"):
            number += 1
            command.append(lines[number])
        number += 1
        below = number
        while number < len(lines) and not lines[number].startswith(_PROMPT):
            number += 1
        yield Step(
            kind="stays" if fence.stays else "console",
            line=fence.line + first,
            text="\n".join(command),
            expected=tuple(line for line in lines[below:number] if line.strip()),
        )


def _slug(heading: str) -> str:
    """Return the anchor that hosting sites and site builders give to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
