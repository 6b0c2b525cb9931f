"""Base classes of handlers."""
