"""Stock Pyro5 alone, in a process of its own; its argument is the number of a weakness.

Nothing of ours is imported, so that nothing of ours changes its settings. Each function says
in the JSON that it prints what was seen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from tests.weaknesses import stock_calls, stock_hosting, stock_names

SHOWS: dict[int, Callable[..., dict[str, Any]]] = {
    1: stock_calls.batch_in_marshal,
    2: stock_calls.oneway_out_of_order,
    3: stock_calls.annotations_leak,
    4: stock_calls.retries_repeat,
    5: stock_hosting.idle_clients_are_killed,
    6: stock_hosting.a_silent_peer_blocks_a_full_pool,
    8: stock_hosting.a_silent_peer_blocks_tls,
    9: stock_calls.bomb_passes_the_limit,
    10: stock_names.prefix_deletes_others,
    13: stock_calls.results_break_the_client,
    14: stock_names.a_pattern_stops_the_name_server,
    15: stock_hosting.closed_and_still_answering,
    16: stock_names.a_bound_proxy_never_recovers,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(SHOWS[int(sys.argv[1])](*sys.argv[2:])))
