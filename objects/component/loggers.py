"""The loggers that ESO names, and ESO's levels: what a component says is found under a stable name.

A module of acquisition or products logs under the name of its trade, not under that of its
file; so that an operator can change the level of "what controls acquisitions" at run time,
and a move of code changes no name.
"""

from __future__ import annotations

import logging

from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel

STATE = LEVEL_NUMBERS[LogLevel.STATE]
"""A state was entered."""
EVENT = LEVEL_NUMBERS[LogLevel.EVENT]
"""Something happened that others are told of, too."""
ACTION = LEVEL_NUMBERS[LogLevel.ACTION]
"""Somebody gave a command."""
TRACE = LEVEL_NUMBERS[LogLevel.TRACE]

OCM = "daq.ocm"
OCM_MANAGER = "daq.ocm.manager"
OCM_AWAITSTATE = "daq.ocm.manager.awaitstate"
OCM_CONTROLLER = "daq.ocm.controller"
OCM_EVENTLOG = "daq.ocm.eventlog"
DPM = "daq.dpm"
DPM_SCHEDULER = "daq.dpm.scheduler"
DPM_CONTROLLER = "daq.dpm.controller"
DPM_TRANSFER = "daq.dpm.transfer"
DPM_MERGER = "daq.dpm.merger"
DPM_QUICKLOOK = "daq.dpm.quicklook"

NAMED = {
    OCM: "the OCM in general: its configuration, its state, its workspace",
    OCM_MANAGER: "what holds all acquisitions: made, recovered, handed to the DPM, laid to rest",
    OCM_AWAITSTATE: "clients that wait for a state",
    OCM_CONTROLLER: "what drives an acquisition through its states, and its sources",
    OCM_EVENTLOG: "every command and every published status, as NAME=VALUE items",
    DPM: "the DPM in general: its configuration, its workspace, what is queued",
    DPM_SCHEDULER: "what starts when, within the limits",
    DPM_CONTROLLER: "what drives an acquisition from Scheduled to its end",
    DPM_TRANSFER: "files that are collected and released",
    DPM_MERGER: "what the merger's process says",
    DPM_QUICKLOOK: "the pictures of products, which the original does not draw",
}
"""Each of them and what it tells."""


def known_loggers() -> list[str]:
    """Return the names under which something can be set in this process, in order."""
    return sorted({*NAMED, *logging.Logger.manager.loggerDict})
