"""What can be started can be stopped: the one form of a context manager here."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """A ``with`` block around it ends with ``close``, whatever happens in it."""

    def close(self) -> None:
        """Release everything; harmless when repeated."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
