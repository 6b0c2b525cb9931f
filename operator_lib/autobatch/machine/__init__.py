"""Typed programs on whole batches: lanes wait in front of blocks, and every block runs for all that wait."""
