"""Coordinated acquisitions: sources are started, watched and stopped, products handed on."""
