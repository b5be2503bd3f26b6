#!/usr/bin/env python3
"""Run one acquisition and say where its product is: a script with types.

Give the folder that shall get the product, and perhaps what is observed:

    python examples/acquire.py /tmp/products "HD 101998"

The name server is found at $OBSORB_NAMES, else at localhost:9090.
"""

from __future__ import annotations

import sys
from pathlib import Path

from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate, OcmDaqControl
from idl_like_interfaces.documents import (
    FitsKeywordsSource,
    MergeTarget,
    MetadataSource,
    OlasReceiver,
    PrimarySource,
    StartDaqV2Specification,
)
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.mapping.coding import to_json
from nameserver.client import Names, name_server_address

STEPS = [
    (DaqState.ACQUIRING, DaqSubstate.ACQUIRING),
    (DaqState.ACQUIRING, DaqSubstate.STOPPED),
    (DaqState.MERGING, DaqSubstate.MERGING),
    (DaqState.COMPLETED, DaqSubstate.COMPLETED),
]
STEP_TIMEOUT_S = 60.0


def specification(receiver: Path, observed: str) -> StartDaqV2Specification:
    """Ask for the frames of a detector, with telemetry and a keyword beside them."""
    return StartDaqV2Specification(
        sources=[
            PrimarySource(source_name="dcs1", rr_uri="obs/sources/dcs1/rec"),
            MetadataSource(source_name="host1", rr_uri="obs/sources/host1/daq"),
            FitsKeywordsSource(
                source_name="observer",
                keywords=[ValueKeyword(name="OBJECT", value=observed, comment="what it is")],
            ),
        ],
        merge_target=MergeTarget(source_name="dcs1"),
        receivers=[OlasReceiver(path=str(receiver.resolve()))],
    )


def acquire(ocm: OcmDaqControl, wanted: StartDaqV2Specification) -> DaqStatus:
    """Start an acquisition, follow it step by step and return its last status."""
    daq_id = ocm.start_daq_v2(to_json(wanted)).id
    print(f"acquisition {daq_id} has started")
    for state, substate in STEPS:
        reply = ocm.await_daq_state(daq_id, state, substate, STEP_TIMEOUT_S)
        print(f"{reply.status.state}/{reply.status.substate}")
        if reply.timeout:
            raise TimeoutError(f"{state}/{substate} was not reached in {STEP_TIMEOUT_S:g} s")
    return ocm.get_status(daq_id)


def main(folder: str = "products", observed: str = "test") -> None:
    """Run one acquisition and say where its product is."""
    receiver = Path(folder)
    receiver.mkdir(parents=True, exist_ok=True)
    with Names(name_server_address()) as names:
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl, deadline_s=60.0)
        status = acquire(ocm, specification(receiver, observed))
    print(f"product: {receiver / status.file_id}.fits")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RemoteError as refusal:
        sys.exit(refusal.explain())
