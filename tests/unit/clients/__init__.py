"""Tests of what every user of a shared service needs."""
