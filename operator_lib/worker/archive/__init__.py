"""Ended runs in object storage: their events and logs, what they returned, their checkpoints."""
