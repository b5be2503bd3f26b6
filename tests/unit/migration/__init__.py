"""Tests of what makes files of other systems ours."""
