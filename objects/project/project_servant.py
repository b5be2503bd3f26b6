"""The project service's servant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from typing_extensions import override

from idl_like_interfaces.project import (
    Preset,
    ProjectChange,
    ProjectInformation,
    ProjectService,
)
from objects.component.clock import Clock
from objects.project.master import MasterFile, Values, presets
from objects.project.rules import (
    CONTEXT,
    FIELDS,
    changed,
    check_change,
    since_of,
    who,
)
from objects.project.store import ProjectStore, StoredInformation
from objects.project.versions import check_expected, check_number, check_page, no_such_version

PRESETS = "presets"
"""Who has made version 1."""

Tell = Callable[[ProjectInformation], None]


class ProjectServant(ProjectService):
    """The project information over its store; any thread may call it.

    Args:
        store: Of all versions; version 1 is made of the presets when there is none.
        master: The site's master file.
        defaults: The installation's own presets.
        clock: The time.
        tell: Called with each new version, in their order; must not wait.

    Raises:
        PersistStore: Version 1 cannot be stored.
    """

    def __init__(
        self, store: ProjectStore, master: MasterFile, defaults: Values, clock: Clock, tell: Tell
    ) -> None:
        self._store = store
        self._master = master
        self._defaults = defaults.by_field()
        self._clock = clock
        self._tell = tell
        self._turn = threading.Lock()
        self._present = store.information() or self._first(clock.utc())

    def _first(self, now: datetime) -> StoredInformation:
        values = self._defaults | self._master.read().project.by_field()
        first = ProjectInformation(
            **{name: values.get(name, "") for name in FIELDS},
            context={
                field.removeprefix(CONTEXT): text
                for field, text in values.items()
                if field.startswith(CONTEXT)
            },
            version=1,
            changed=now,
            changed_by=PRESETS,
        )
        stored = StoredInformation(information=first, since=since_of({}, None, first))
        self._store.put_information(stored)
        return stored

    @property
    def present(self) -> ProjectInformation:
        """The newest version."""
        return self._present.information

    @override
    def get(self, version: int = 0) -> ProjectInformation:
        check_number(version)
        if version in (0, self.present.version):
            return self.present
        found = self._store.information(version)
        if found is None:
            raise no_such_version(version)
        return found.information

    @override
    def set(
        self, change: ProjectChange, by: str = "", expected_version: int = 0
    ) -> ProjectInformation:
        check_change(change)
        by = who(by)
        with self._turn:
            old = self._present
            check_expected(
                expected_version, self.present.version, self.present.changed_by, "information"
            )
            new = changed(self.present, change, by, self._clock.utc())
            if new is not self.present:
                stored = StoredInformation(
                    information=new, since=since_of(old.since, old.information, new)
                )
                self._store.put_information(stored)
                self._present = stored
                self._tell(new)
            return new

    @override
    def history(self, limit: int = 100, before: int = 0) -> list[ProjectInformation]:
        check_page(limit, before)
        return self._store.informations(limit, before)

    @override
    def presets(self) -> list[Preset]:
        present = self._present
        master = self._master.read().project.by_field()
        return presets(present.information, present.since, master, self._defaults)
