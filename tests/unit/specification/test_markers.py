"""Claims are read from sources: where markers stand, and when a test does not count."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.specification.markers import Claim, MarkerError, scan, scan_source


def _read(source: str) -> dict[str, tuple[str, bool]]:
    claims = scan_source("import pytest\n" + dedent(source), "tests/test_m.py")
    return {
        claim.row: (claim.test.removeprefix("tests/test_m.py::"), claim.counts) for claim in claims
    }


def test_a_decorated_test_claims_all_its_ids() -> None:
    """One marker may name several rows."""
    found = _read(
        """
        @pytest.mark.spec("A", "B")
        def test_it(): ...
        """
    )
    assert found == {"A": ("test_it", True), "B": ("test_it", True)}


def test_marks_of_module_and_class_reach_the_tests() -> None:
    """A test claims what its module, its class and a mixin's class carry."""
    found = _read(
        """
        pytestmark = [pytest.mark.system, pytest.mark.spec("M")]

        @pytest.mark.spec("C")
        class NamingContract:
            pytestmark = pytest.mark.spec("P")

            @pytest.mark.spec("F")
            def test_bind(self): ...
        """
    )
    assert found == dict.fromkeys("MCPF", ("NamingContract::test_bind", True))


def test_marks_of_single_parameters_count() -> None:
    """A case of a parametrized test may carry the marker."""
    found = _read(
        """
        @pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.spec("A"))])
        def test_it(x): ...
        """
    )
    assert found == {"A": ("test_it", True)}


def test_what_is_no_test_claims_nothing() -> None:
    """Fixtures, helpers and inner functions are not collected, so not read."""
    assert _read('@pytest.mark.spec("A")\ndef helper():\n    def test_inner(): ...\n') == {}


@pytest.mark.parametrize(
    ("mark", "body", "counts"),
    [
        ('skip(reason="no")', "...", False),
        ("skip", "...", False),
        ('skipif(True, reason="no")', "...", False),
        ('skipif(HERE, reason="no")', "...", True),
        ('skipif(condition=True, reason="no")', "...", False),
        ("xfail", "...", False),
        ('xfail(reason="a bug")', "...", False),
        ("usefixtures", 'pytest.skip("later")', False),
        ("usefixtures", 'if HERE: pytest.skip("not here")', True),
    ],
)
def test_a_test_that_cannot_fail_does_not_count(mark: str, body: str, counts: bool) -> None:
    """Skipping or expecting failure without a condition shows no row."""
    source = f'@pytest.mark.spec("A")\n@pytest.mark.{mark}\ndef test_it():\n    {body}\n'
    assert _read(source)["A"] == ("test_it", counts)


def test_an_id_that_is_computed_is_refused() -> None:
    """The place of the marker is named."""
    with pytest.raises(MarkerError, match=r"tests/test_m\.py.*:2: give the ids"):
        _read("@pytest.mark.spec(*ROWS)\ndef test_it(): ...")


def test_a_folder_is_read_as_a_whole(tmp_path: Path) -> None:
    """Claims carry the path from the folder's parent and are sorted."""
    for name in ("b", "a"):
        module = tmp_path / "tests" / name / "test_m.py"
        module.parent.mkdir(parents=True)
        module.write_text('@pytest.mark.spec("R")\ndef test_it(): ...\n', encoding="utf-8")
    assert scan(tmp_path / "tests") == [
        Claim(row="R", test=f"tests/{name}/test_m.py::test_it", counts=True) for name in "ab"
    ]
