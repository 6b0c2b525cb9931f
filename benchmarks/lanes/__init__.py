"""Autobatching over sizes of batches, beside everything else that can run the same programs."""
