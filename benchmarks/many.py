"""A hundred calls of one program at once: in a batch, or awaited together."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.programs import Child

BATCH_GOAL = Goal(of=Measure.RATIO, at_least=4.0)
GATHER_GOAL = Goal(of=Measure.RATIO, at_least=1.0)

TOGETHER = 100


def measure_many(counts: Counts) -> list[Figure]:
    """Measure calls in batches and awaited calls beside calls one by one."""
    with (
        Child("benchmarks.calls_obsorb:Server") as server,
        Child("benchmarks.clients_bare:Server", "thread", str(2 * TOGETHER)) as bare_server,
        Child("benchmarks.many_obsorb:Client", server.hello) as ours,
        Child("benchmarks.many_bare:Client", bare_server.hello) as bare,
    ):
        turns = {
            "single": _turn(ours, "single", counts.many),
            "batch": _turn(ours, "batch", counts.many),
            "gather": _turn(ours, "gather", counts.many),
            "bare batch": _turn(bare, "batch", counts.many),
            "bare gather": _turn(bare, "gather", counts.many),
        }
        alternate(1, [*turns.values()])
        values = alternate(counts.many_rounds, [*turns.values()])
    return _rows(dict(zip(turns, values, strict=True)))


def _turn(client: Child, what: str, count: int) -> Callable[[], float]:
    calls = count * TOGETHER
    return lambda: calls / float(client.do(what, count=count, together=TOGETHER))


def _rows(rates: dict[str, list[float]]) -> list[Figure]:
    one_by_one = "obsorb, one by one"
    rows = [
        ("calls in batches", "batch", one_by_one, "single", BATCH_GOAL),
        # Ends at the first error, and has one outcome for all that came before.
        ("calls in batches", "batch", "Pyro5 batches", "bare batch", None),
        ("calls awaited together", "gather", "Pyro5 in threads", "bare gather", GATHER_GOAL),
        ("calls awaited together", "gather", one_by_one, "single", None),
    ]
    return [
        figure(
            f"{TOGETHER} calls at once",
            name,
            "1/s",
            rates[ours],
            peer=peer,
            theirs=rates[theirs],
            goal=goal,
        )
        for name, ours, peer, theirs, goal in rows
    ]
