"""The cards of a header, each by itself: letters, names, values, repetitions, the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from idl_like_interfaces.cards import CARD_LENGTH, CardKind
from objects.products.merge.cards import walk_cards
from objects.products.merge.layout import Hdu
from objects.products.merge.repair import repaired
from objects.products.merge.verify_findings import Found, error, warning

_WRITER = "correct the writer of the file"


def verify_cards(hdu: Hdu) -> Iterator[Found]:
    """Yield what is wrong with single cards of a header."""
    counts: Counter[tuple[CardKind, str]] = Counter()
    for number, card in enumerate(walk_cards(hdu.images), 1):
        if card.kind is not CardKind.COMMENTARY:
            counts[card.identity] += 1
        _, done = repaired(card)
        if done:
            yield error(
                f"keyword {number}, {card.images[0].rstrip()!r}, is against the standard",
                cause=f"the merger would put it right so: {done}",
                remedy=_WRITER,
            )
    yield from _repetitions(counts)
    yield from _behind_the_end(hdu)


def _repetitions(counts: Counter[tuple[CardKind, str]]) -> Iterator[Found]:
    for (kind, name), count in counts.items():
        if count > 1:
            full = f"ESO {name}" if kind is CardKind.ESO else name
            yield warning(
                f"{full} stands there {count} times",
                cause="readers differ in which one they take",
                remedy=_WRITER,
            )


def _behind_the_end(hdu: Hdu) -> Iterator[Found]:
    with hdu.path.open("rb") as file:
        file.seek(hdu.offset)
        header = file.read(hdu.data_offset - hdu.offset)
    end = len(hdu.images) * CARD_LENGTH
    if header[end : end + CARD_LENGTH] != b"END".ljust(CARD_LENGTH):
        yield error("behind END stands something else than blanks on its card", remedy=_WRITER)
    if header[end + CARD_LENGTH :].strip(b" "):
        yield error("the header is not filled with blanks behind END", remedy=_WRITER)
    if len(header) < hdu.data_offset - hdu.offset:
        yield error("the last block of the header is short", remedy=_WRITER)
