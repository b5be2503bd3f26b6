"""Reads a dictionary file, whatever its form."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.dictionaries import Dictionary
from objects.dictionaries.classic import read_classic
from objects.dictionaries.did_yaml import is_did, read_did_yaml
from objects.dictionaries.flaws import bad_dictionary
from objects.dictionaries.plain_yaml import read_plain_yaml
from objects.dictionaries.yaml_tree import read_yaml

MOST_OCTETS = 32 * 1024 * 1024

_YAML = (".yaml", ".yml")


def read_dictionary(path: Path) -> Dictionary:
    """Read a dictionary.

    Args:
        path: ``*.yaml`` and ``*.yml`` are YAML, with tags or without; all else is classic.

    Raises:
        BadDictionary: It is missing or cannot be read, or with all its flaws.
    """
    octets = _octets(path)
    return parse_dictionary(str(path), octets)


def parse_dictionary(path: str, octets: bytes) -> Dictionary:
    """Read a dictionary from the content of its file.

    Args:
        path: The file; its name tells the form.
        octets: The content.

    Raises:
        BadDictionary: With all its flaws.
    """
    if path.lower().endswith(_YAML):
        top = read_yaml(path, _utf8(path, octets))
        return read_did_yaml(path, top) if is_did(top) else read_plain_yaml(path, top)
    return read_classic(path, Path(path).name, _any_text(octets))


def _octets(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise bad_dictionary(
            str(path),
            0,
            "",
            f"the dictionary cannot be read: {error.strerror or error}",
            "correct the path, or make the file readable",
        ) from error
    except ValueError as error:
        raise bad_dictionary(str(path), 0, "", f"the path is none: {error}") from error
    if len(octets) > MOST_OCTETS:
        text = f"the file is longer than {MOST_OCTETS // 1024**2} MiB: this is no dictionary"
        raise bad_dictionary(str(path), 0, "", text)
    return octets


def _utf8(path: str, octets: bytes) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise bad_dictionary(path, line, "", f"not UTF-8: {error.reason}") from error


def _any_text(octets: bytes) -> str:
    """Decode a classic dictionary; the old ones are of the time before UTF-8."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
