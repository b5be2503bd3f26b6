"""Tests of the event channel and the log service."""
