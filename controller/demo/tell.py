"""The story of the acquisition of the demonstration, and the picture of its product."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from controller.dashboard.stories import story_text
from controller.demo.scratch import ROOT
from controller.failure import CommandFailed
from idl_like_interfaces.daqif import DaqStory, OcmDaqControl

if TYPE_CHECKING:
    from nameserver.client import Names


def told_story(
    names: Names, id: str, file: Path, wait_until: Callable[[str, Callable[[], bool]], None]
) -> list[str]:
    """Wait for the picture, write the story into a file, and return what is to be shown.

    Args:
        names: The name service.
        id: The acquisition.
        file: Gets the story.
        wait_until: Waits for a condition, given what it is in words and how it is asked.

    Raises:
        CommandFailed: There is no picture.
    """
    ocm = names.narrow(f"{ROOT}/ocm/daq", OcmDaqControl)
    found: list[DaqStory] = []

    def is_drawn() -> bool:
        found[:] = [ocm.get_story(id)]
        making = found[0].making
        return making is not None and bool(making.picture)

    try:
        wait_until("there is a picture of the product", is_drawn)
    except CommandFailed as error:
        making = found[0].making if found else None
        raise CommandFailed(
            error.message,
            cause=(making.picture_note if making else "") or error.cause,
            remedy="see the log in the scratch folder",
        ) from error
    text = story_text(found[0])
    file.write_text(f"{text}\n", encoding="utf-8")
    making = found[0].making
    assert making is not None
    return [
        "the story of the acquisition:",
        *(f"  {line}".rstrip() for line in text.splitlines()),
        f"story: {file}",
        f"picture: {making.picture}",
    ]
