"""What is wrong in a dictionary: all of it is collected, then the file is refused."""

from __future__ import annotations

from idl_like_interfaces.dictionaries import Flaw
from idl_like_interfaces.errors import BadParam

_MOST = 100
_SHOWN = 5


class BadDictionary(BadParam, repository_id="IDL:obsorb/dictionaries/BadDictionary:1.0"):
    """A dictionary is missing or faulty.

    Attributes:
        path: The file.
        line: Of the first flaw; 0: in no line of it.
        flaws: All flaws, those beyond the first hundred left out.
    """

    path: str
    line: int
    flaws: list[Flaw]


class Flaws:
    """Collects the flaws of one file.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: list[Flaw] = []
        self._count = 0

    def add(self, line: int, field: str, text: str, remedy: str = "") -> None:
        """Note a flaw."""
        self._count += 1
        if len(self._found) < _MOST:
            self._found.append(Flaw(line=line, field=field, text=text, remedy=remedy))

    def refuse(self) -> None:
        """Refuse the file if there are flaws.

        Raises:
            BadDictionary: There are.
        """
        if self._found:
            raise self.error()

    def error(self) -> BadDictionary:
        """Return the refusal; there must be a flaw."""
        shown = [flaw.told(self._path) for flaw in self._found[:_SHOWN]]
        if self._count > _SHOWN:
            more = f"and {self._count - _SHOWN} more"
            shown.append(f"{more}; see them with `obsorb dictionary check {self._path}`")
        remedies = dict.fromkeys(flaw.remedy for flaw in self._found[:_SHOWN] if flaw.remedy)
        first = self._found[0]
        return BadDictionary(
            "\n".join(shown),
            remedy="; ".join(remedies) or "correct the file",
            field=first.field or "dictionary",
            path=self._path,
            line=first.line,
            flaws=self._found,
        )


def bad_dictionary(path: str, line: int, field: str, text: str, remedy: str = "") -> BadDictionary:
    """Make the refusal of a file with one flaw that makes further reading useless."""
    flaws = Flaws(path)
    flaws.add(line, field, text, remedy)
    return flaws.error()
