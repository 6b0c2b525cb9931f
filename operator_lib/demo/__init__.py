"""The example that `operator-lib demo` runs."""
