"""How a merge tells what it does: stamped messages, to a callback and a log file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from idl_like_interfaces.merging import MergeContent, MergeMessage, MergeMessageType
from objects.component.clock import Clock
from objects.products.merge.findings import log_file_lost, suspicious_checksums
from objects.products.merge.layout import Hdu
from objects.products.merge.problems import MergeProblem
from objects.products.merge.product import OutputHdu, Product
from objects.products.merge.suspicion import wrong_checksums


class Messages:
    """Stamps messages and hands them on, to the log file too when there is one."""

    def __init__(self, on_message: Callable[[MergeMessage], None], clock: Clock) -> None:
        self.clock = clock
        self.log_file: TextIO | None = None
        self._on_message = on_message

    def tell(self, type_: MergeMessageType, content: MergeContent) -> None:
        """Tell one message."""
        message = MergeMessage(type=type_, timestamp=self.clock.utc(), content=content)
        if self.log_file is not None:
            time = message.timestamp.isoformat(timespec="milliseconds")
            more = "".join(f"; {text}" for text in (content.cause, content.remedy) if text)
            self._write(self.log_file, f"{time} {type_} {content.message}{more}\n")
        self._on_message(message)

    def progress(self, product: Product, index: int) -> None:
        """Tell that an HDU was written."""
        hdu, total = product.hdus[index], len(product.hdus)
        what = hdu.origin.label if hdu.origin else "new primary HDU"
        whose = f" of {hdu.source}" if hdu.source else ""
        content = MergeContent(
            message=f"HDU {index + 1} of {total}: {what}{whose}",
            source=hdu.source,
            done=index + 1,
            total=total,
        )
        self.tell(MergeMessageType.PROGRESS, content)

    def error(self, problem: MergeProblem) -> None:
        """Tell why there is no product."""
        content = MergeContent(
            message=problem.message,
            code=problem.code,
            cause=problem.cause,
            remedy=problem.remedy,
        )
        self.tell(MergeMessageType.ERROR, content)

    def _write(self, log_file: TextIO, line: str) -> None:
        """Write a line; a log file that takes no more is given up, the merge is not."""
        try:
            log_file.write(line)
            log_file.flush()
        except OSError as error:
            self.log_file = None
            with suppress(OSError):  # it tries once more to write what is left
                log_file.close()
            alert = log_file_lost(log_file.name, error.strerror or str(error))
            self.tell(MergeMessageType.ALERT, alert)


class Watch:
    """Tells of each HDU that is written, and in the end of checksums that inputs had wrong."""

    def __init__(self, product: Product, messages: Messages) -> None:
        self._product = product
        self._messages = messages
        self._wrong: dict[Path, list[str]] = {}
        self._of: dict[Path, tuple[str, Hdu]] = {}
        for header in product.headers:
            self._check(header, 0)

    def written(self, index: int, datasum: int) -> None:
        """Take note of an HDU with the sum of its data."""
        self._check(self._product.hdus[index], datasum)
        self._messages.progress(self._product, index)

    def tell(self) -> None:
        """Tell an alert for each input that has wrong checksums."""
        for path, wrong in self._wrong.items():
            source, hdu = self._of[path]
            alert = suspicious_checksums(source, hdu, wrong)
            self._messages.tell(MergeMessageType.ALERT, alert)

    def _check(self, hdu: OutputHdu, datasum: int) -> None:
        if hdu.origin is not None and (wrong := wrong_checksums(hdu.origin, datasum)):
            self._of[hdu.origin.path] = hdu.source, hdu.origin
            self._wrong.setdefault(hdu.origin.path, []).append(wrong)
