"""The process of the benchmark of merges, as a merger of the DPM that waits for its work."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from objects.products.merge.tool import merge


class Merger(ExitStack):
    """Merges what it is told to."""

    hello = ""

    def merge(self, specification: str, product: str, *, in_place: bool = False) -> float:
        """Make a product; return how long that took, in seconds.

        Raises:
            RuntimeError: It was not made.
        """
        said: list[str] = []
        began = time.perf_counter()
        code = merge(
            specification,
            outfile=Path(product),
            in_place=in_place,
            on_message=lambda message: said.append(message.content.message),
        )
        took = time.perf_counter() - began
        if code:
            raise RuntimeError(f"the merge ended with {code}: {said}")
        return took

    def peak_mib(self) -> float:
        """Return the most memory that the process ever had, in MiB."""
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the system does not tell the peak of the memory")
