"""What every implementation of ``ConfigurationService`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.project import ConfigurationService, NoSuchVersion, VersionConflict

DOCUMENT: dict[str, Any] = {
    "directory": "/data/archive0",
    "limit_bytes": 104_857_600,
    "close_delay_s": 10.5,
    "streams": ["left", "right"],
    "options": {"sync": True, "comment": None, "größe": "5 µm"},
}


class ConfigurationServiceContract:
    """Inherit it and give the fixture ``service``."""

    @pytest.fixture
    def service(self) -> Iterator[ConfigurationService]:
        """Yield a configuration service without documents."""
        raise NotImplementedError

    def test_a_document_comes_back_as_it_was(self, service: ConfigurationService) -> None:
        """With all kinds of plain values, and who has put it."""
        put = service.put("archiver/0", DOCUMENT, "anna", "bigger files")
        assert service.get("archiver/0") == put
        assert put.document == DOCUMENT
        assert (put.version, put.changed_by, put.comment) == (1, "anna", "bigger files")
        assert put.digest.startswith("sha256:")

    def test_every_version_can_be_read_again(self, service: ConfigurationService) -> None:
        """Nothing is overwritten."""
        made = [service.put("archiver/0", {"limit": n}) for n in range(3)]
        assert [each.version for each in made] == [1, 2, 3]
        assert [service.get("archiver/0", n + 1) for n in range(3)] == made

    def test_an_equal_document_makes_no_version(self, service: ConfigurationService) -> None:
        """Whatever the order of its members."""
        first = service.put("archiver/0", DOCUMENT)
        turned = dict(reversed(DOCUMENT.items()))
        assert service.put("archiver/0", turned, comment="again") == first
        other = service.put("archiver/0", {**DOCUMENT, "limit_bytes": 1})
        assert (other.version, other.digest == first.digest) == (2, False)

    def test_documents_have_versions_of_their_own(self, service: ConfigurationService) -> None:
        """And are listed by name."""
        service.put("writer", {"a": 1})
        service.put("archiver/1", {"a": 1})
        service.put("archiver/0", {"a": 1})
        service.put("archiver/0", {"a": 2})
        assert service.names() == ["archiver/0", "archiver/1", "writer"]
        assert service.get("archiver/1").version == 1

    def test_what_was_never_put_is_refused(self, service: ConfigurationService) -> None:
        """The document, a version of it, its history."""
        service.put("archiver/0", {})
        for name, version in (("archiver/9", 0), ("archiver/0", 2), ("archiver/0", -1)):
            with pytest.raises(NoSuchVersion) as refused:
                service.get(name, version)
            assert (refused.value.name, refused.value.version) == (name, version)
        with pytest.raises(NoSuchVersion):
            service.history("archiver/9")

    def test_who_has_seen_an_old_version_changes_nothing(
        self, service: ConfigurationService
    ) -> None:
        """The refusal says who was quicker."""
        service.put("archiver/0", {"n": 1}, "anna")
        service.put("archiver/0", {"n": 2}, "bert", expected_version=1)
        with pytest.raises(VersionConflict) as refused:
            service.put("archiver/0", {"n": 3}, "anna", expected_version=1)
        assert (refused.value.version, refused.value.changed_by) == (2, "bert")
        assert service.get("archiver/0").document == {"n": 2}

    def test_the_history_has_the_newest_first(self, service: ConfigurationService) -> None:
        """It is given in pages."""
        for n in range(5):
            service.put("archiver/0", {"n": n})
        assert [each.version for each in service.history("archiver/0")] == [5, 4, 3, 2, 1]
        page = service.history("archiver/0", 2, before=4)
        assert [each.document["n"] for each in page] == [2, 1]
        with pytest.raises(BadParam):
            service.history("archiver/0", 0)

    @pytest.mark.parametrize("name", ["", "/", "a//b", "a b", "../x/", "a" * 201, "ä"])
    def test_a_name_that_is_none_is_refused(self, service: ConfigurationService, name: str) -> None:
        """The refusal names the argument."""
        with pytest.raises(BadParam) as refused:
            service.put(name, {})
        assert refused.value.field == "name"
        assert service.names() == []

    def test_a_document_that_is_too_large_is_refused(self, service: ConfigurationService) -> None:
        """It may not even fit into a message."""
        with pytest.raises(BadParam):
            service.put("archiver/0", {"table": ["x" * 1000] * 300})
        assert service.names() == []

    def test_a_document_that_is_nested_too_deep_is_refused(
        self, service: ConfigurationService
    ) -> None:
        """Nobody could read it."""
        deep: dict[str, Any] = {}
        for _ in range(40):
            deep = {"in": deep}
        with pytest.raises(BadParam):
            service.put("archiver/0", deep)

    def test_puts_at_the_same_time_are_all_made(self, service: ConfigurationService) -> None:
        """Each is a version of its own."""
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: service.put("archiver/0", {"n": n}), range(20)))
        assert {each.version for each in made} == set(range(1, 21))
