"""Reading all records of a query, page by page."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from idl_like_interfaces.logs import LogQuery, LogService, StoredRecord

PAGE = 5000


def pages(service: LogService, query: LogQuery) -> Iterator[list[StoredRecord]]:
    """Yield all matching records in the order of time, until none is left."""
    query = msgspec.structs.replace(query, newest=False, limit=PAGE)
    while page := service.query(query):
        yield page
        last = page[-1]
        query = msgspec.structs.replace(query, since=last.record.time, beyond=last.number)
