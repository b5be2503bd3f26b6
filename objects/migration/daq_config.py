"""Makes an installation file of the configuration files of daqOcmServer and daqDpmServer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from idl_like_interfaces.errors import BadParam, RemoteError
from objects.component.config_path import find
from objects.dictionaries.yaml_tree import Mapping, Node, Scalar, read_yaml
from objects.dictionaries.yaml_tree import Sequence as Items
from objects.migration.daq_config_keys import KEYS, READERS, Key, Server, Type
from objects.migration.installation_text import Draft

FIELD = "file"
_TOP = "cfg"
_MIXED = "cfg/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of a key.

    Attributes:
        server: Whose it is.
        key: Its path, e.g. ``cfg/daq/workspace``.
        value: As it stood there.
        setting: What it is now, e.g. ``component.ocm.workspace``; empty: nothing.
        why: What is different.
    """

    server: str
    key: str
    value: str
    setting: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An installation file and its history.

    Attributes:
        installation: The text of the file.
        keys: What became of each key, in the order of the files.
    """

    installation: str
    keys: list[Became]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    node: Scalar | Items


def import_daq_config(files: Sequence[Path], server: str = "") -> Imported:
    """Make an installation of the configuration of an OCM, of a DPM, or of both.

    Args:
        files: One of each server at most.
        server: Whose a single file is, ``ocm`` or ``dpm``; empty: its keys tell.

    Raises:
        BadParam: A file cannot be read, a key is unknown, or a value is wrong; with the line.
    """
    draft, keys, seen = Draft(), [], set[Server]()
    for path in files:
        entries = list(_entries(path))
        whose = Server(server) if server else _whose(path, entries)
        if whose in seen:
            raise _wrong(path, 0, f"it is a second file of the {whose}", "give one of each server")
        seen.add(whose)
        keys += [_take(draft, whose, path, entry) for entry in entries]
    draft.complete(seen)
    draft.check()
    return Imported(installation=draft.text(), keys=keys)


def _take(draft: Draft, whose: Server, path: Path, entry: _Entry) -> Became:
    key = KEYS[whose].get(entry.path)
    line = entry.node.line
    if key is None:
        close = get_close_matches(entry.path, KEYS[whose], n=1)
        hint = f"did you mean {_MIXED}{close[0]}?" if close else "leave it out"
        raise _wrong(path, line, f"{_MIXED}{entry.path} is no key of the {whose}", hint)
    value = _value(path, key, entry)
    setting, why = draft.put(whose, entry.path, key, value, found=_is_found(key, value, path))
    shown = ", ".join(value) if isinstance(value, list) else str(value)
    return Became(server=whose, key=f"{_MIXED}{entry.path}", value=shown, setting=setting, why=why)


def _value(path: Path, key: Key, entry: _Entry) -> str | int | list[str]:
    node = entry.node
    try:
        if key.type is Type.LIST:
            return _texts(node)
        return READERS[key.type](_text(node))
    except ValueError as error:
        wrong = f"{_MIXED}{entry.path} is not {key.type}"
        raise _wrong(path, node.line, wrong, "correct the value") from error


def _text(node: Scalar | Items) -> str:
    if isinstance(node, Scalar):
        return node.text
    raise ValueError(node)


def _texts(node: Scalar | Items) -> list[str]:
    if isinstance(node, Items) and all(isinstance(each, Scalar) for each in node.items):
        return [each.text for each in node.items if isinstance(each, Scalar)]
    raise ValueError(node)


def _is_found(key: Key, value: object, path: Path) -> bool:
    """Tell whether a file of levels is there; it is left out when it is not."""
    if key.target != "component.log_properties" or not isinstance(value, str):
        return True
    try:
        find(value, beside=path.parent)
    except BadParam:
        return False
    return True


def _entries(path: Path) -> Iterator[_Entry]:
    """Read a file flat: ``daq/workspace`` and its node."""
    try:
        top = read_yaml(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, 0, f"cannot be read: {error}", "give a YAML file") from error
    except RemoteError as error:
        raise BadParam(error.message, field=FIELD, remedy="correct the file") from error
    tables = [(name, node) for name, node in top.items if name.text == _TOP]
    if len(top.items) != 1 or not tables or not isinstance(tables[0][1], Mapping):
        raise _wrong(path, top.line, f"its only top key must be {_TOP}:", "give a configuration")
    yield from _flat("", tables[0][1], path, set())


def _flat(above: str, table: Mapping, path: Path, seen: set[str]) -> Iterator[_Entry]:
    for name, node in table.items:
        key = f"{above}{name.text}"
        _refuse(path, node, key, seen)
        if isinstance(node, Mapping):
            yield from _flat(f"{key}/", node, path, seen)
        else:
            seen.add(key)
            yield _Entry(key, node)


def _refuse(path: Path, node: Node, key: str, seen: set[str]) -> None:
    if node.tag:
        raise _wrong(path, node.line, f"the tag !{node.tag} is not known", "write plain values")
    if key in seen:
        raise _wrong(path, node.line, f"{_MIXED}{key} stands there twice", "leave one out")


def _whose(path: Path, entries: list[_Entry]) -> Server:
    """Find out by the keys whose configuration it is."""
    unknown = {
        server: [each.path for each in entries if each.path not in KEYS[server]]
        for server in Server
    }
    fits = [server for server in Server if not unknown[server]]
    if len(fits) > 1:
        raise _wrong(
            path,
            0,
            "its keys are those of OCM and of DPM alike",
            "say whose it is: --as ocm or dpm",
        )
    return fits[0] if fits else min(Server, key=lambda server: len(unknown[server]))


def _wrong(path: Path, line: int, what: str, remedy: str) -> BadParam:
    where = f"{path}, line {line}" if line else str(path)
    return BadParam(f"{where}: {what}", field=FIELD, remedy=remedy)
