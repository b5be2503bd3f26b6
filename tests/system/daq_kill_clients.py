"""Clients that keep acquisitions going while the servers are killed under them."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from typing_extensions import override

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    OcmDaqControl,
)
from idl_like_interfaces.errors import CommFailure, DependencyFailed, RemoteError, TimeIsUp
from idl_like_interfaces.naming import NotFound
from nameserver.client import Names

T = TypeVar("T")

PATIENCE_S = 120.0
CALL_S = 5.0
AWAY = (CommFailure, DependencyFailed, TimeIsUp, NotFound)
"""What says that somebody was not there."""

CAM1 = {"type": "primarySource", "sourceName": "cam1", "rrUri": "obs/sources/cam1/rec"}
CAM2 = {"type": "primarySource", "sourceName": "cam2", "rrUri": "obs/sources/cam2/rec"}
HOST1 = {"type": "metadataSource", "sourceName": "host1", "rrUri": "obs/sources/host1/daq"}


@dataclass(kw_only=True)
class Told:
    """What a client knows of one acquisition.

    Attributes:
        id: As the client gave it.
        began_at: When it was asked for (monotonic).
        is_accepted: The server has spoken of it.
        was_answered: The start was answered with success.
        is_unwanted: The client has aborted it.
        files: FITS files that were there before and belong into the product.
        ended_at: When the client knew its end; 0: never.
        last: What the client heard of it last.
    """

    id: str
    began_at: float
    is_accepted: bool = False
    was_answered: bool = False
    is_unwanted: bool = False
    files: list[str] = field(default_factory=list)
    ended_at: float = 0.0
    last: DaqStatus | None = None


class Client(threading.Thread):
    """Starts one acquisition after the other and brings each to its end.

    Args:
        kind: ``auto``, ``stopped``, ``metadata`` or ``files``.
        names: Where the servers are found.
        file: A FITS file with extensions.
        seed: Of what it does by chance.

    Attributes:
        told: All that it has asked for.
        losses: When a call found nobody (monotonic), with what was said.
        faults: What must not be.
    """

    def __init__(self, kind: str, names: Names, file: Path, seed: int) -> None:
        super().__init__(name=f"client {kind}")
        self.kind = kind
        self.told: list[Told] = []
        self.losses: list[tuple[float, float, str]] = []
        self.faults: list[str] = []
        self._ocm = names.narrow("obs/ocm/daq", OcmDaqControl, CALL_S)
        self._file = file
        self._chance = random.Random(seed)
        self._pause = threading.Event()
        self._is_ending = False

    def finish(self) -> None:
        """Start no more; ``join`` waits for the end of the last one."""
        self._is_ending = True

    @override
    def run(self) -> None:
        try:
            while not self._is_ending:
                self._one()
        except Exception as error:  # noqa: BLE001 (told at the end of the test)
            self.faults.append(f"{self.name}: {type(error).__name__}: {error}")

    def _one(self) -> None:
        told = Told(id=f"{self.kind}-{len(self.told)}", began_at=time.monotonic())
        self.told.append(told)
        self._start(told)
        if not told.is_accepted:
            self._pause.wait(0.1)
            return
        if self.kind != "files":
            self._pause.wait(self._chance.uniform(0.0, 0.4))
        if self.kind == "metadata" and self._chance.random() < 0.2:
            told.is_unwanted = True
            self._command(told, self._ocm.abort_daq, _is_final)
        elif self.kind in ("stopped", "metadata"):
            self._command(told, self._ocm.stop_daq, _is_stopped)
        self._await_end(told)

    def _start(self, told: Told) -> None:
        text = json.dumps({"id": told.id, "sources": self._sources(told)} | self._more())
        asked_at = time.monotonic()
        try:
            # Refused: its status says whether there is one all the same.
            with suppress(DaqException):
                self._ocm.start_daq_v2(text)
                told.is_accepted = told.was_answered = True
        except AWAY as error:
            self._note(asked_at, error)
        if not told.is_accepted:
            told.is_accepted = self._status(told) is not None

    def _sources(self, told: Told) -> list[dict[str, object]]:
        match self.kind:
            case "auto":
                return [dict(CAM1), dict(HOST1)]
            case "stopped":
                return [dict(CAM2), dict(HOST1)]
            case "metadata":
                return [dict(HOST1)]
            case _:
                told.files = [str(self._file)]
                keyword = {"type": "valueKeyword", "name": "OBJECT", "value": "M 31"}
                return [
                    {"type": "fitsFile", "sourceName": "file", "location": str(self._file)},
                    {"type": "fitsKeywords", "sourceName": "words", "keywords": [keyword]},
                ]

    def _more(self) -> dict[str, object]:
        return {"mergeTarget": {"sourceName": "file"}} if self.kind == "files" else {}

    def _status(self, told: Told) -> DaqStatus | None:
        """Return its status, waiting for the server; ``None``: there is no such acquisition."""
        try:
            told.last = self._insist(lambda: self._ocm.get_status(told.id))
        except DaqException:
            if told.is_accepted:
                self.faults.append(f"{told.id} was accepted and is not known any more")
            return None
        return told.last

    def _command(
        self, told: Told, command: Callable[[str], object], is_done: Callable[[DaqStatus], bool]
    ) -> None:
        """Give a command until the status says that it was executed."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            asked_at = time.monotonic()
            try:
                command(told.id)
            except DaqException:
                self._pause.wait(0.05)
            except AWAY as error:
                self._note(asked_at, error)
            status = self._status(told)
            if status is None or is_done(status):
                return
        self.faults.append(f"{told.id} does not obey: {told.last}")

    def _await_end(self, told: Told) -> None:
        until = time.monotonic() + PATIENCE_S
        pair = (DaqState.COMPLETED, DaqSubstate.COMPLETED)
        while time.monotonic() < until:
            # Refused: it has ended in another way, or its server is about to.
            with suppress(DaqException):
                self._insist(lambda: self._ocm.await_daq_state(told.id, *pair, 2.0))
            status = self._status(told)
            if status is None:
                return
            if _is_final(status):
                told.ended_at = time.monotonic()
                return
        self.faults.append(f"{told.id} does not end: {told.last}")

    def _insist(self, call: Callable[[], T]) -> T:
        """Ask until somebody answers."""
        until = time.monotonic() + PATIENCE_S
        while True:
            asked_at = time.monotonic()
            try:
                return call()
            except AWAY as error:
                self._note(asked_at, error)
                if time.monotonic() > until:
                    raise
            self._pause.wait(0.05)

    def _note(self, asked_at: float, error: RemoteError) -> None:
        self.losses.append((asked_at, time.monotonic(), error.message))


def _is_final(status: DaqStatus) -> bool:
    return status.state is DaqState.COMPLETED


def _is_stopped(status: DaqStatus) -> bool:
    return status.state is not DaqState.ACQUIRING
