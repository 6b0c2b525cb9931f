"""Where things are kept that outlive the worker's own disk: named bytes, written whole or not at all."""
