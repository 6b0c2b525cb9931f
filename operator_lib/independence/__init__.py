"""Proving that calls are independent, and running those that are at the same time: see README.md."""
