#!/usr/bin/env python3
"""Run an acquisition that is planned: it begins in time, and takes a file of another host.

Give a FITS file that is merged into the product (of this host, or as host:/path of another
one, which the DPM reaches by ssh), the folder that shall get the product, and in how many
seconds the detector shall begin to record:

    python examples/acquire_planned.py calib1:/data/dark.fits /tmp/products 5

The name server is found at $OBSORB_NAMES, else at localhost:9090.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate, OcmDaqControl
from idl_like_interfaces.documents import (
    FitsFileSource,
    MergeTarget,
    OlasReceiver,
    PrimarySource,
    StartDaqV2Specification,
)
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, ValueKeyword
from idl_like_interfaces.mapping.coding import to_json
from nameserver.client import Names, name_server_address

END_TIMEOUT_S = 60.0


def specification(dark: str, receiver: Path, begin: datetime) -> StartDaqV2Specification:
    """Ask for the frames of a detector from a time on, with a file that exists beside them."""
    return StartDaqV2Specification(
        sources=[
            PrimarySource(source_name="dcs1", rr_uri="obs/sources/dcs1/rec"),
            FitsFileSource(source_name="dark", location=dark),
        ],
        merge_target=MergeTarget(source_name="dcs1"),
        receivers=[OlasReceiver(path=str(receiver.resolve()))],
        start_time=begin,
    )


def known_only_now() -> list[FitsKeyword]:
    """Return keywords that nobody knew when the acquisition was started."""
    return [
        ValueKeyword(name="OBSERVER", value="night shift", comment="who sat at the console"),
        EsoKeyword(name="TEL AMBI FWHM", value=0.83, comment="[arcsec] seeing"),
    ]


def acquire(ocm: OcmDaqControl, wanted: StartDaqV2Specification) -> DaqStatus:
    """Start an acquisition, give it further keywords, and return its last status."""
    daq_id = ocm.start_daq_v2(to_json(wanted)).id
    print(f"acquisition {daq_id} begins at {wanted.start_time:%H:%M:%S} UTC")
    # All or none of them; one that is given again takes the place of the old one.
    ocm.update_keywords(daq_id, to_json(known_only_now()))
    seconds = 0.0
    if wanted.start_time is not None:
        seconds = (wanted.start_time - datetime.now(UTC)).total_seconds()
    end = DaqState.COMPLETED, DaqSubstate.COMPLETED
    reply = ocm.await_daq_state(daq_id, *end, max(seconds, 0.0) + END_TIMEOUT_S)
    if reply.timeout:
        # What stops it stands in the alerts, with what to do about it.
        told = [f"{alert.description}; {alert.remedy}" for alert in reply.status.alerts]
        raise TimeoutError(f"it is in {reply.status.substate}: {'; '.join(told) or 'no alert'}")
    return reply.status


def main(dark: str, folder: str = "products", in_seconds: str = "5") -> None:
    """Run the acquisition and say where its product is."""
    receiver = Path(folder)
    receiver.mkdir(parents=True, exist_ok=True)
    begin = datetime.now(UTC) + timedelta(seconds=float(in_seconds))
    with Names(name_server_address()) as names:
        ocm = names.narrow("obs/ocm/daq", OcmDaqControl, deadline_s=60.0)
        status = acquire(ocm, specification(dark, receiver, begin))
    print(f"product: {receiver / status.file_id}.fits")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (RemoteError, TimeoutError) as failure:
        sys.exit(failure.explain() if isinstance(failure, RemoteError) else str(failure))
