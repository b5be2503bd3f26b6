"""Tests of the online database."""
