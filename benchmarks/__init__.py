"""Our figures beside those of peers, taken in the same run: ``python -m benchmarks``."""
