#!/usr/bin/env python3
"""Run one acquisition with plain Pyro5: nothing of obsorb needs to be installed.

Requests and replies are plain values (dict, list, str, number, bool, None); documents
are JSON texts. Give the folder that shall get the product, and the name server's address:

    python examples/acquire_stock.py /tmp/products localhost:9090
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import Pyro5.api
import Pyro5.errors

STEPS = [
    ("StateAcquiring", "Acquiring"),
    ("StateAcquiring", "Stopped"),
    ("StateMerging", "Merging"),
    ("StateCompleted", "Completed"),
]
STEP_TIMEOUT_S = 60.0


def specification(receiver: Path) -> str:
    """Ask for the frames of a detector with telemetry beside them."""
    return json.dumps(
        {
            "sources": [
                {"type": "primarySource", "sourceName": "dcs1", "rrUri": "obs/sources/dcs1/rec"},
                {"type": "metadataSource", "sourceName": "host1", "rrUri": "obs/sources/host1/daq"},
            ],
            "mergeTarget": {"sourceName": "dcs1"},
            "receivers": [{"type": "olasReceiver", "path": str(receiver.resolve())}],
        }
    )


def main(folder: str = "products", name_server: str = "localhost:9090") -> None:
    """Run one acquisition and say where its product is."""
    receiver = Path(folder)
    receiver.mkdir(parents=True, exist_ok=True)
    with Pyro5.api.Proxy(f"PYRONAME:obs/ocm/daq@{name_server}") as ocm:
        daq_id = ocm.start_daq_v2(specification(receiver))["id"]
        print(f"acquisition {daq_id} has started")
        for state, substate in STEPS:
            reply = ocm.await_daq_state(daq_id, state, substate, STEP_TIMEOUT_S)
            print(f"{reply['status']['state']}/{reply['status']['substate']}")
            if reply["timeout"]:
                raise TimeoutError(f"{state}/{substate} was not reached in {STEP_TIMEOUT_S:g} s")
        status = ocm.get_status(daq_id)
    print(f"product: {receiver / status['fileId']}.fits")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Pyro5.errors.PyroError as refusal:
        # Its text has cause and remedy; programs read the attributes repository_id and fields.
        sys.exit(str(refusal))
