"""Data sources: detectors that record frames, and telemetry that accompanies them.

An own instrument subclasses ``FrameSource`` or ``MetadataSource`` and, to be started by
an installation, ``RecorderComponent`` or ``MetadataComponent``; ``on_bench`` tries it.
"""

from objects.data_source.bench import on_bench
from objects.data_source.cards import cards_of
from objects.data_source.components import (
    MetadataComponent,
    RecorderComponent,
    SourceSettings,
)
from objects.data_source.frame import Frame, FramePlan, FrameSource
from objects.data_source.metadata import Column, MetadataSource
from objects.data_source.readiness import SourceNotReady
from objects.data_source.statistics import Statistics

__all__ = [
    "Column",
    "Frame",
    "FramePlan",
    "FrameSource",
    "MetadataComponent",
    "MetadataSource",
    "RecorderComponent",
    "SourceNotReady",
    "SourceSettings",
    "Statistics",
    "cards_of",
    "on_bench",
]
