"""Tests of the pictures of products."""
