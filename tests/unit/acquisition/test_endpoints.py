"""Endpoints of the original where a name is wanted: refused, with what to write."""

from __future__ import annotations

import json

import pytest

from idl_like_interfaces.daqif import DaqException
from tests.support.daq import Bench


@pytest.mark.parametrize(
    "endpoint", ["zpb.rr://insws:12345/daq", "zpb://10.127.50.10:4050/RecCmds"]
)
def test_the_endpoint_of_a_source_is_refused(bench: Bench, endpoint: str) -> None:
    """In both forms of a start; nothing is begun."""
    with pytest.raises(DaqException) as first:
        bench.daq.start_daq(prim_sources=f"dcs1@{endpoint}")
    assert endpoint in first.value.message
    assert "obsorb names list obs/sources" in first.value.remedy
    source = {"type": "primarySource", "sourceName": "dcs1", "rrUri": endpoint}
    with pytest.raises(DaqException, match=r"sources\[0\]\.rrUri"):
        bench.daq.start_daq_v2(json.dumps({"sources": [source]}))
    assert bench.daq.get_active_list() == []
