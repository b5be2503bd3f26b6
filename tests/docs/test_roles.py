"""The table of roles in the reference is that of the declarations."""

from __future__ import annotations

from tests.docs.page import ROOT
from tests.support.roles import table
from tests.unit.idl.test_declare import declared_interfaces

PAGE = ROOT / "docs" / "reference" / "security.md"
BEGIN, END = "<!-- roles -->\n", "<!-- end of roles -->\n"


def test_the_table_of_roles_is_that_of_the_declarations() -> None:
    """Every operation of every interface stands in it; a failure prints the table to put there."""
    text = PAGE.read_text(encoding="utf-8")
    written = text.partition(BEGIN)[2].partition(END)[0]
    wanted = table(declared_interfaces())
    assert written == wanted, f"put this between the marks in {PAGE}:\n{wanted}"
