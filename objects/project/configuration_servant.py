"""The configuration service's servant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import override

from idl_like_interfaces.project import Configuration, ConfigurationService
from objects.component.clock import Clock
from objects.project.documents import LARGEST_DOCUMENT, canonical, check_name, digest
from objects.project.rules import LONGEST_COMMENT, check_text, who
from objects.project.store import ProjectStore
from objects.project.versions import check_expected, check_number, check_page, no_such_version

REPLY_BYTES = 8 * LARGEST_DOCUMENT
"""Documents of one reply at most, as JSON."""

Tell = Callable[[Configuration], None]


class ConfigurationServant(ConfigurationService):
    """The configurations over their store; any thread may call it.

    Args:
        store: Of all versions.
        clock: The time.
        tell: Called with each new version; must not wait.
    """

    def __init__(self, store: ProjectStore, clock: Clock, tell: Tell) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._turn = threading.Lock()

    def take_missing(self, documents: Mapping[str, dict[str, Any]], by: str) -> None:
        """Store documents of which there is no version yet.

        Raises:
            BadParam: A name or document is none.
            PersistStore: They cannot be stored.
        """
        for name, document in documents.items():
            if self._store.configuration(name) is None:
                self._put(name, document, by, "", 0)

    @override
    def get(self, name: str, version: int = 0) -> Configuration:
        check_number(version, name)
        found = self._store.configuration(name, version)
        if found is None:
            raise no_such_version(version, name)
        return found

    @override
    def put(
        self,
        name: str,
        document: dict[str, Any],
        by: str = "",
        comment: str = "",
        expected_version: int = 0,
    ) -> Configuration:
        check_text(comment, "comment", LONGEST_COMMENT)
        return self._put(name, document, who(by), comment, expected_version)

    def _put(
        self, name: str, document: dict[str, Any], by: str, comment: str, expected_version: int
    ) -> Configuration:
        check_name(name)
        mark = digest(canonical(document))
        with self._turn:
            present = self._store.configuration(name)
            version, changed_by = (present.version, present.changed_by) if present else (0, "")
            check_expected(expected_version, version, changed_by, f"configuration {name!r}")
            if present is not None and present.digest == mark:
                return present
            new = Configuration(
                name=name,
                document=document,
                version=version + 1,
                changed=self._clock.utc(),
                changed_by=by,
                comment=comment,
                digest=mark,
            )
            self._store.put_configuration(new)
            self._tell(new)
            return new

    @override
    def names(self) -> list[str]:
        return self._store.names()

    @override
    def history(self, name: str, limit: int = 100, before: int = 0) -> list[Configuration]:
        check_page(limit, before)
        if self._store.configuration(name) is None:
            raise no_such_version(0, name)
        found: list[Configuration] = []
        size = 0
        for each in self._store.configurations(name, limit, before):
            size += len(canonical(each.document))
            if found and size > REPLY_BYTES:
                break
            found.append(each)
        return found
