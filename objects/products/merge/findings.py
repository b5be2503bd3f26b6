"""What a merge tells of besides its progress: alerts and collisions, in words and bounded.

An alert never stops a merge. Its id says the condition and the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from idl_like_interfaces.daqif import AlertSeverity
from idl_like_interfaces.merging import COLLISIONS_TOLD, MergeContent
from objects.products.merge.collisions import Collision, declared
from objects.products.merge.layout import BLOCK, Hdu
from objects.products.merge.repair import Repair

_FEW = 5


def unmerged_data(source: str, hdu: Hdu) -> MergeContent:
    """Tell that the data of a primary HDU are not in the product."""
    return _alert(
        f"unmerged_data/{source}",
        AlertSeverity.WARNING,
        source,
        f"unmerged data: the primary HDU of {hdu.path} (source {source}) "
        f"has {hdu.unfilled_size} bytes of data, which the product does not have",
        remedy="let the source write its data into an extension, make it the merge target, "
        "or set alertUnmergeable to false",
    )


def primary_resized(source: str, hdu: Hdu, cards: int) -> MergeContent | None:
    """Tell that the primary header of the target does not fit where it was, if so.

    Args:
        source: The source of the target.
        hdu: Its primary HDU.
        cards: How many records the header of the product has, END left out.
    """
    before, after = (hdu.data_offset - hdu.offset) // BLOCK, header_blocks(cards)
    if after <= before:
        return None
    return _alert(
        f"primary_hdu_resized/{source}",
        AlertSeverity.INFO,
        source,
        f"primary HDU resized: the header of {hdu.path} (source {source}) has {before} blocks "
        f"of {BLOCK} bytes, that of the product {after}",
        remedy=f"let the source leave room for {cards} cards in front of END",
    )


def repaired_keywords(source: str, hdu: Hdu, repairs: Sequence[Repair]) -> MergeContent:
    """Tell which keywords of a file are against the standard, and what became of them."""
    texts = [f"{each.text!r} ({each.done})" for each in repairs]
    return _alert(
        f"nonstandard_keywords/{source}",
        AlertSeverity.WARNING,
        source,
        f"{len(repairs)} cards in the primary header of {hdu.path} (source {source}) are "
        f"against the FITS standard: {_few(texts)}",
        remedy="correct the writer of the source",
    )


def filled_block(source: str, hdu: Hdu) -> MergeContent:
    """Tell that the last block of a file was short."""
    return _alert(
        f"short_file/{source}",
        AlertSeverity.WARNING,
        source,
        f"the last block of {hdu.path} (source {source}) lacks {hdu.fill} bytes of filling; "
        "the data are whole",
        cause="a writer that does not fill its last block, or has not done so yet",
        remedy="correct the writer of the source",
    )


def same_file(source: str, other: str, hdu: Hdu) -> MergeContent:
    """Tell that two sources are one file, whose extensions are in the product twice."""
    return _alert(
        f"same_file/{source}",
        AlertSeverity.WARNING,
        source,
        f"the file of source {source} is that of source {other}, too: {hdu.path}",
        remedy="name it once",
    )


def ambiguous_extensions(labels: Sequence[str]) -> MergeContent:
    """Tell that extensions of several files have the same name and version."""
    return _alert(
        "ambiguous_extensions",
        AlertSeverity.INFO,
        "",
        f"{len(labels)} extensions have a name and version that one of another file has: "
        f"{_few(labels)}; a reader that looks for it finds the first",
        remedy="give them other EXTNAME or EXTVER at the sources",
    )


def suspicious_checksums(source: str, hdu: Hdu, wrong: Sequence[str]) -> MergeContent:
    """Tell that checksums which a source brings are wrong; those of the product are right."""
    return _alert(
        f"suspicious_checksum/{source}",
        AlertSeverity.WARNING,
        source,
        f"checksums in {hdu.path} (source {source}) are wrong: {_few(wrong)}",
        cause="the file was damaged or changed after they were written",
        remedy="compare it with the original; the product has it as it was found",
    )


def log_file_lost(path: str, reason: str) -> MergeContent:
    """Tell that the log file takes no more."""
    return _alert(
        "log_file",
        AlertSeverity.WARNING,
        "",
        f"the log file {path} cannot be written any more: {reason}; the merge goes on without",
        remedy="see to free space where it is, or choose another with --logfile",
    )


def collision_messages(collisions: Sequence[Collision]) -> Iterator[MergeContent]:
    """Tell who won and who did not, one message each, and how many more there are."""
    for collision in collisions[:COLLISIONS_TOLD]:
        told = declared(collision)
        losers = [f"{side.value} of {side.source}" for side in told.losers]
        yield MergeContent(
            message=f"keyword {told.keyword}: {told.winner.value} of {told.winner.source} wins "
            f"over {_few(losers, total=len(collision.losers))}",
            source=told.winner.source,
            collision=told,
        )
    if omitted := len(collisions[COLLISIONS_TOLD:]):
        yield MergeContent(message=f"{omitted} more keywords collided", omitted=omitted)


def header_blocks(cards: int) -> int:
    """Return how many blocks a header of so many records, END left out, takes."""
    return -(-(cards + 1) * 80 // BLOCK)


def _few(texts: Sequence[str], total: int | None = None) -> str:
    more = (len(texts) if total is None else total) - _FEW
    return ", ".join(texts[:_FEW]) + (f" and {more} more" if more > 0 else "")


def _alert(
    id: str,
    severity: AlertSeverity,
    source: str,
    message: str,
    *,
    cause: str = "",
    remedy: str,
) -> MergeContent:
    return MergeContent(
        id=id, severity=severity, source=source, message=message, cause=cause, remedy=remedy
    )
