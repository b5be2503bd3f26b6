"""The command ``obsorb``: one module for each group of verbs."""

from __future__ import annotations

from controller.cli.app import main

__all__ = ["main"]
