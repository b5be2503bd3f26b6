"""Which tests claim which rows, read from the test sources without importing them.

A claim is ``pytest.mark.spec("ESO-001", ...)`` as a decorator of a test or its class,
inside its ``parametrize``, or in a ``pytestmark`` of class or module. Reading sources
keeps the table the same on every machine, whatever is installed there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class MarkerError(ValueError):
    """A marker cannot be read from the source: its ids are no literal texts."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Claim:
    """One test that says it shows one row.

    Attributes:
        row: The id of the row.
        test: Path and name of the test, e.g. ``tests/unit/test_a.py::test_b``.
        counts: It can fail: it is neither skipped nor expected to fail always.
    """

    row: str
    test: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What a test inherits from its module and classes."""

    name: str
    rows: tuple[str, ...]
    counts: bool

    def enter(self, name: str, marks: list[ast.expr]) -> _Scope:
        """Return the scope of something inside this one with marks of its own."""
        rows = tuple(row for mark in marks for row in _spec_ids(mark, self.name))
        stopped = any(_stops_always(mark) for mark in marks)
        return _Scope(
            name=f"{self.name}::{name}" if name else self.name,
            rows=self.rows + rows,
            counts=self.counts and not stopped,
        )


def scan(tests: Path) -> list[Claim]:
    """Return the claims of all test modules below a folder, sorted.

    Raises:
        MarkerError: An id of a marker is not written as a literal text.
    """
    claims: set[Claim] = set()
    for path in sorted(tests.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.spec" in source:
            claims.update(scan_source(source, path.relative_to(tests.parent).as_posix()))
    return sorted(claims)


def scan_source(source: str, name: str) -> list[Claim]:
    """Return the claims of one module.

    Raises:
        MarkerError: An id of a marker is not written as a literal text.
    """
    module = ast.parse(source, filename=name)
    scope = _Scope(name=name, rows=(), counts=True).enter("", _pytestmark(module.body))
    return sorted(set(_claims(module.body, scope)))


def _claims(body: list[ast.stmt], scope: _Scope) -> Iterator[Claim]:
    for statement in body:
        match statement:
            case ast.ClassDef():
                marks = statement.decorator_list + _pytestmark(statement.body)
                yield from _claims(statement.body, scope.enter(statement.name, marks))
            case ast.FunctionDef() if statement.name.startswith("test"):
                test = scope.enter(statement.name, statement.decorator_list)
                counts = test.counts and not any(map(_skips_itself, statement.body))
                for row in test.rows:
                    yield Claim(row=row, test=test.name, counts=counts)
            case _:
                pass


def _pytestmark(body: list[ast.stmt]) -> list[ast.expr]:
    marks: list[ast.expr] = []
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="pytestmark")], value=value)
                | ast.AnnAssign(target=ast.Name(id="pytestmark"), value=ast.expr() as value)
            ):
                marks += value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
            case _:
                pass
    return marks


def _spec_ids(mark: ast.expr, where: str) -> Iterator[str]:
    for node in ast.walk(mark):
        if not (isinstance(node, ast.Call) and _mark_name(node.func) == "spec"):
            continue
        for argument in node.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise MarkerError(f"{where}:{node.lineno}: give the ids of spec as literal texts")
            yield argument.value


def _stops_always(mark: ast.expr) -> bool:
    """Tell whether a mark keeps its test from ever failing."""
    match mark:
        case ast.Call(func=func, args=args, keywords=keywords):
            name = _mark_name(func)
            conditions = args + [word.value for word in keywords if word.arg == "condition"]
        case _:
            name, conditions = _mark_name(mark), []
    match name, conditions:
        case "skip", _:
            return True
        case "xfail", []:
            return True
        case "skipif" | "xfail", [ast.Constant(value=value), *_]:
            return bool(value)
        case _:
            return False


def _skips_itself(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr=attr))):
            return attr in {"skip", "xfail"}
        case _:
            return False


def _mark_name(node: ast.expr) -> str:
    """Return the name of ``pytest.mark.NAME`` (or ``mark.NAME``), else an empty text."""
    match node:
        case ast.Attribute(value=ast.Attribute(attr="mark") | ast.Name(id="mark"), attr=name):
            return name
        case _:
            return ""
