"""The dictionary in the demonstration: a misspelt keyword is refused, the others are completed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from controller.demo.scratch import DICTIONARY, ROOT
from controller.failure import CommandFailed
from idl_like_interfaces.daqif import DaqException, OcmDaqControl
from idl_like_interfaces.documents import FitsKeywordsSource, StartDaqV2Specification
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.mapping.coding import to_json

if TYPE_CHECKING:
    from nameserver.client import Names

_MISSPELT = "OBSERVR"


def refuse_misspelt(names: Names) -> str:
    """Ask for an acquisition with a keyword that nobody knows, and say how it was refused.

    Raises:
        CommandFailed: It was not.
    """
    source = FitsKeywordsSource(
        source_name="operator", keywords=[ValueKeyword(name=_MISSPELT, value="nobody")]
    )
    ocm = names.narrow(f"{ROOT}/ocm/daq", OcmDaqControl)
    try:
        ocm.start_daq_v2(to_json(StartDaqV2Specification(sources=[source])))
    except DaqException as refused:
        return f"dictionary: refused as it should be: {refused.message}"
    raise CommandFailed(
        f"the coordinator took the keyword {_MISSPELT}, which is in no dictionary",
        remedy="keep the scratch folder and report it",
    )


def told_card(product: Path, name: str, comment: str) -> str:
    """Say how a keyword was written whose comment nobody gave.

    Raises:
        CommandFailed: It does not have the comment of the dictionary.
    """
    from astropy.io import fits

    card = fits.getheader(product).cards[name]
    if card.comment != comment:
        raise CommandFailed(
            f"{name} has the comment {card.comment!r}, not that of {DICTIONARY}: {comment!r}",
            remedy="keep the scratch folder and report it",
        )
    return f"dictionary: comment of {DICTIONARY}: {' '.join(card.image.split())}"
