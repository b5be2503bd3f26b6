"""Globs over topics and names; clients match by the same rules."""

from __future__ import annotations

from idl_like_interfaces.clients.globs import TopicFilters, check_filter, match_runs, match_text

__all__ = ["TopicFilters", "check_filter", "match_runs", "match_text"]
