"""Asking all objects of an installation for their statistics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from idl_like_interfaces.clients import Survey
from idl_like_interfaces.clients.directory import list_all, objects_of
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import OBJECT_ID
from idl_like_interfaces.object import Object, Statistics
from objects.component.site import Site
from objects.metrics.exposition import families

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)


class Gathering(Closing):
    """A collector of ``prometheus_client``: finds the objects by name and asks each.

    The name server is shown as ``NameService``. Objects that it knew are shown as down while the name service does not answer, or does not
    know them any more for a while; they are asked all the same.

    Args:
        site: Where it runs.
        deadline_s: An object that does not answer within this time is shown as down.
    """

    def __init__(self, site: Site, deadline_s: float) -> None:
        self._site = site
        self._deadline_s = deadline_s
        self._turn = threading.Lock()
        self._names = [OBJECT_ID]
        self._survey: Survey[Statistics] = Survey(self._ask)
        self.answering = 0

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families of this moment."""
        with self._turn:
            began = time.monotonic()
            is_found = self._find()
            answers = self._survey.run(self._names, self._deadline_s)
            took_s = time.monotonic() - began
        self.answering = sum(isinstance(each, Statistics) for each in answers.values())
        yield from families(answers)
        yield _own("obsorb_names_up", "1: the name service answers; 0: not.", float(is_found))
        yield _own("obsorb_gathering_seconds", "How long it took to ask all objects.", took_s)

    def describe(self) -> list[Metric]:
        """Promise nothing: to register it must not ask anybody."""
        return []

    @override
    def close(self) -> None:
        self._survey.close()

    def _find(self) -> bool:
        try:
            bindings = list_all(self._site.naming())
        except RemoteError as error:
            log.warning("the objects known before are asked: %s", error)
            return False
        self._names = [OBJECT_ID, *(each.name for each in objects_of(bindings))]
        return True

    def _ask(self, name: str) -> Statistics:
        if name == OBJECT_ID:
            # It is not bound; and every stub has also the operations that every object has.
            return cast("Object", self._site.naming(self._deadline_s)).get_statistics()
        return self._site.narrow(name, Object, self._deadline_s).get_statistics()


def _own(name: str, what: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, what, value=value)
