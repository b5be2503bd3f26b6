"""The JSON documents of an acquisition: what is asked for, and what is merged.

Field names in JSON are those of ESO's documents (``sourceName``, ``rrUri``, ...). The
order of ``sources`` is the descending priority of the merge.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

from idl_like_interfaces.declare import Document, Seconds, UtcTime
from idl_like_interfaces.keywords import FitsKeyword, KeywordRule

# A dollar sign alone matches in front of a line break at the end, too: hence (?!\n).

Name: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.-]+(?!\n)$",
        max_length=64,
        description="letters, digits, _ . and -, at most 64",
    ),
]
"""Name of a source; part of file names, so nothing that a shell or path minds."""

FilePrefix: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[-a-zA-Z0-9_.]*(?!\n)$",
        max_length=64,
        description="characters of [-a-zA-Z0-9_.], at most 64",
    ),
]

Id: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_:+-][A-Za-z0-9_.:+-]*(?!\n)$",
        max_length=128,
        description="letters, digits, _ : + - and, not at the begin, dots, at most 128",
    ),
]
"""Id of an acquisition or a file; names files and folders, so it begins with no dot."""

Text: TypeAlias = Annotated[str, Meta(min_length=1)]


class StartDaqV1Properties(Document, frozen=True, kw_only=True, rename="camel"):
    """``properties`` of ``start_daq``.

    Attributes:
        await_interval: Longest duration of one wait request to a primary source.
        keywords: Initial keywords for the product's primary header.
        start_time: When the primary sources begin to record, ISO-8601 with a zone; None:
            at once.
    """

    await_interval: Seconds = 5.0
    keywords: list[FitsKeyword] = []
    start_time: UtcTime | None = None


class PrimarySource(Document, frozen=True, kw_only=True, rename="camel", tag="primarySource"):
    """A recif source to be started.

    Attributes:
        source_name: Its name within the acquisition.
        rr_uri: Where it is: a name (``obs/sources/dcs1/rec``) or a Pyro URI.
        keyword_rules: What of its primary header is merged; None: the default
            copy, ``[]``: nothing.
        alert_unmergeable: Raise an alert when it has primary data that cannot be merged.
        initial_keywords: Keywords for the product on its behalf.
    """

    source_name: Name
    rr_uri: Text
    keyword_rules: list[KeywordRule] | None = None
    alert_unmergeable: bool = True
    initial_keywords: list[FitsKeyword] = []


class MetadataSource(Document, frozen=True, kw_only=True, rename="camel", tag="metadataSource"):
    """A metadaqif source to be started; fields as in ``PrimarySource``."""

    source_name: Name
    rr_uri: Text
    keyword_rules: list[KeywordRule] | None = None
    alert_unmergeable: bool = True
    initial_keywords: list[FitsKeyword] = []


class FitsFileSource(Document, frozen=True, kw_only=True, rename="camel", tag="fitsFile"):
    """A file that exists.

    Attributes:
        source_name: Its name within the acquisition.
        location: ``/path``, or ``host:/path``; in a merger's specification also
            relative to the root directory.
        keyword_rules: As in ``PrimarySource``.
        alert_unmergeable: As in ``PrimarySource``.
    """

    source_name: Name
    location: Text
    keyword_rules: list[KeywordRule] | None = None
    alert_unmergeable: bool = True


class FitsKeywordsSource(Document, frozen=True, kw_only=True, rename="camel", tag="fitsKeywords"):
    """Keywords without a file."""

    source_name: Name
    keywords: list[FitsKeyword]


class OlasOptions(Document, frozen=True, kw_only=True, rename="camel"):
    """How a receiver wants its file; ``allow_symlink``: a symbolic link will do."""

    allow_symlink: bool = True


class OlasReceiver(Document, frozen=True, kw_only=True, rename="camel", tag="olasReceiver"):
    """A directory that gets the product under its archive name.

    Attributes:
        path: Absolute path of an existing, writable directory.
        host: Where it is; empty: this host.
        options: How it wants its file.
    """

    path: Annotated[str, Meta(pattern="^/", description="an absolute path")]
    host: str = ""
    options: OlasOptions = OlasOptions()


Receiver: TypeAlias = OlasReceiver


class MergeTarget(Document, frozen=True, kw_only=True, rename="camel"):
    """The source whose first file the product is built in."""

    source_name: Name


StartSource: TypeAlias = PrimarySource | MetadataSource | FitsFileSource | FitsKeywordsSource


class StartDaqV2Specification(Document, frozen=True, kw_only=True, rename="camel"):
    """``specification`` of ``start_daq_v2``.

    Attributes:
        sources: In descending merge priority.
        merge_target: None: the product begins empty.
        receivers: Who gets the product.
        file_prefix: Before the name of the result file, never of the archive file.
        await_completion_interval: As ``await_interval`` of V1.
        id: None: one is made.
        start_time: As ``start_time`` of V1.
    """

    sources: list[StartSource]
    merge_target: MergeTarget | None = None
    receivers: list[Receiver] = []
    file_prefix: FilePrefix = ""
    await_completion_interval: Seconds = 10.0
    id: Id | None = None
    start_time: UtcTime | None = None


class DpTarget(Document, frozen=True, kw_only=True, rename="camel"):
    """The product.

    Attributes:
        file_id: Basis of its names; the archive file is ``{file_id}.fits``.
        source: The file that it is built in; None: a new one.
        file_prefix: Before the name of the result file.
    """

    file_id: Id
    source: FitsFileSource | None = None
    file_prefix: FilePrefix = ""


MergeSource: TypeAlias = FitsFileSource | FitsKeywordsSource


class DpSpecification(Document, frozen=True, kw_only=True, rename="camel"):
    """Data product specification: from OCM to DPM to the merger.

    Attributes:
        id: The acquisition.
        sources: In descending priority, without the target.
        target: The product.
        receivers: Who gets it.
        keyword_dictionaries: Carried along, not used by the merger.
        stopped_at: When the sources had stopped; a file that was modified later is
            suspicious. None: not known, the time of queueing takes its place.
    """

    id: Id
    sources: list[MergeSource] = []
    target: DpTarget
    receivers: list[Receiver] = []
    keyword_dictionaries: list[str] = []
    stopped_at: UtcTime | None = None
