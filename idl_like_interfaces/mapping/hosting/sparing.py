"""Warnings that a peer can cause at will: some of each kind are told, a flood is counted."""

from __future__ import annotations

import logging
from collections import Counter

from typing_extensions import override

from idl_like_interfaces.bucket import Bucket


class Sparing(logging.Filter):
    """Filter of a logger; the next record that passes says how many did not."""

    def __init__(self) -> None:
        super().__init__()
        # By the text before its arguments are put in: there are as many as statements.
        self._buckets: dict[str, Bucket] = {}
        self._kept_back: Counter[str] = Counter()

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        text = str(record.msg)
        bucket = self._buckets.get(text) or self._buckets.setdefault(text, Bucket())
        if not bucket.take():
            self._kept_back[text] += 1
            return False
        number = self._kept_back.pop(text, 0)
        if number:
            record.msg = f"{record.getMessage()} (and {number} more of this kind)"
            record.args = ()
        return True
