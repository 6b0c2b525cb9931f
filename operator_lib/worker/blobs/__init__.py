"""Bytes by their hash: uploads of code, operators and arguments."""

from operator_lib.worker.blobs.local import NO_SPACE, SHA256, BlobError, BlobMismatch, Blobs, WrongOffset

__all__ = ["NO_SPACE", "SHA256", "BlobError", "BlobMismatch", "Blobs", "WrongOffset"]
