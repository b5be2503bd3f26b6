"""Project information and configurations: what every writer puts into its files."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from idl_like_interfaces.declare import Role, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError

PROJECT_TOPIC = "project/changed"
"""At each change, body ``ProjectInformation``."""

CONFIGURATION_TOPIC = "configuration/changed"
"""At each change, body ``Configuration``."""


class Origin(StrEnum):
    """Where a preset comes from; an earlier one is taken before a later one."""

    LAST_SESSION = "last session"
    MASTER = "master file"
    DEFAULT = "default"


class ProjectInformation(Value, frozen=True, kw_only=True):
    """Who does what, for which project.

    Attributes:
        project: Name or id of the project.
        operator: Who is responsible now.
        flight: Flight, night or programme.
        context: Whatever else belongs into files, e.g. ``{"iop": "7"}``.
        comment: Why it was changed.
        version: Grows by one at each change, from 1.
        changed: When.
        changed_by: By whom.
    """

    project: str
    operator: str
    flight: str
    context: dict[str, str] = {}
    comment: str = ""
    version: int
    changed: UtcTime
    changed_by: str = ""


ProjectHistory: TypeAlias = list[ProjectInformation]


class ProjectChange(Value, frozen=True, kw_only=True):
    """What is to be changed; ``None`` stays as it is.

    Attributes:
        project: As in ``ProjectInformation``.
        operator: As there.
        flight: As there.
        context: Entries to set; an empty text removes one.
        comment: Why.
    """

    project: str | None = None
    operator: str | None = None
    flight: str | None = None
    context: dict[str, str] = {}
    comment: str = ""


class Preset(Value, frozen=True, kw_only=True):
    """A value that a session may begin with.

    Attributes:
        field: ``project``, ``operator``, ``flight`` or ``context.NAME``.
        value: The value.
        origin: Where it comes from.
        since: When it was set; ``None``: it is of a file.
    """

    field: str
    value: str
    origin: Origin
    since: UtcTime | None = None


Presets: TypeAlias = list[Preset]


class VersionConflict(
    RemoteError, RuntimeError, repository_id="IDL:obsorb/project/VersionConflict:1.0"
):
    """Somebody else has changed it meanwhile; nothing was changed.

    Attributes:
        version: The version that it has now.
        changed_by: Who made that.
    """

    version: int
    changed_by: str


class NoSuchVersion(RemoteError, LookupError, repository_id="IDL:obsorb/project/NoSuchVersion:1.0"):
    """There is no such configuration, or not this version of it.

    Attributes:
        name: Of the configuration; empty: the project information.
        version: Which.
    """

    name: str
    version: int


@interface("IDL:obsorb/project/ProjectService:1.0")
class ProjectService(Protocol):
    """Stores the project information, all versions of it (``obs/project``)."""

    @operation(NoSuchVersion, idempotent=True)
    def get(self, version: int = 0) -> ProjectInformation:
        """Return the present information, or an earlier version of it.

        Before the first ``set`` version 1 is made of the presets.

        Raises:
            NoSuchVersion: There is none of this number.
        """

    @operation(VersionConflict, role=Role.OPERATOR)
    def set(
        self, change: ProjectChange, by: str = "", expected_version: int = 0
    ) -> ProjectInformation:
        """Change it; on return the change survives a crash.

        Args:
            change: What to change.
            by: Who does; when the caller has a certificate its identity is put before.
            expected_version: Refuse when it is another; 0: change it whatever it is.

        Returns:
            The new version.

        Raises:
            VersionConflict: It has another version now.
            BadParam: A value is empty, has more than 255 characters or control characters, or a
                name of the context has others than letters, digits and ``_.-``.
            PersistStore: It cannot be stored at the moment (a full disk).
        """

    @operation(idempotent=True)
    def history(self, limit: int = 100, before: int = 0) -> ProjectHistory:
        """Return versions, the newest first; those older than ``before`` when it is not 0."""

    @operation(idempotent=True)
    def presets(self) -> Presets:
        """Return what a session may begin with: the last session, the master file, the defaults."""


class Configuration(Value, frozen=True, kw_only=True):
    """A configuration document of some component.

    Attributes:
        name: Which, e.g. ``archiver/0``.
        document: Plain values.
        version: Grows by one at each change, from 1.
        changed: When.
        changed_by: By whom.
        comment: Why.
        digest: ``sha256:`` and 64 hexadecimal digits, of the document as canonical JSON.
    """

    name: str
    document: dict[str, Any]
    version: int
    changed: UtcTime
    changed_by: str = ""
    comment: str = ""
    digest: str = ""


Configurations: TypeAlias = list[Configuration]


@interface("IDL:obsorb/project/ConfigurationService:1.0")
class ConfigurationService(Protocol):
    """Stores configuration documents, all versions of them (``obs/configuration``)."""

    @operation(NoSuchVersion, idempotent=True)
    def get(self, name: str, version: int = 0) -> Configuration:
        """Return the present document, or an earlier version.

        Raises:
            NoSuchVersion: There is no such document, or none of this number.
        """

    @operation(VersionConflict, role=Role.ENGINEER)
    def put(
        self,
        name: str,
        document: dict[str, Any],
        by: str = "",
        comment: str = "",
        expected_version: int = 0,
    ) -> Configuration:
        """Store a new version; on return it survives a crash.

        A document equal to the present one makes no new version.

        Raises:
            VersionConflict: It has another version than the expected one.
            BadParam: The name is none, or the document is too large or cannot travel.
            PersistStore: It cannot be stored at the moment (a full disk).
        """

    @operation(idempotent=True)
    def names(self) -> list[str]:
        """Return the names of all documents, sorted."""

    @operation(NoSuchVersion, idempotent=True)
    def history(self, name: str, limit: int = 100, before: int = 0) -> Configurations:
        """Return versions of a document, the newest first; fewer when they are large.

        Raises:
            NoSuchVersion: There is no such document.
        """
