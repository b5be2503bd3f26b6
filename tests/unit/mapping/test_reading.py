"""Reading documents: what a type says of itself is found out once."""

from __future__ import annotations

import msgspec
import pytest

from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.reading import read_document, read_own, read_tolerantly

_TEXT = '{"id": "A.1", "sources": [], "target": {"fileId": "A.1"}}'


def test_a_type_is_looked_at_once_however_many_documents_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes longer than to read a small document."""
    read_document(DpSpecification, _TEXT, "specification")

    def again(_type: object) -> None:
        raise AssertionError("looked at again")

    monkeypatch.setattr(msgspec.inspect, "type_info", again)
    read_document(DpSpecification, _TEXT, "specification")
    read_tolerantly(DpSpecification, _TEXT, "specification")
    read_own(DpSpecification, _TEXT.encode(), "specification")
