"""Scalar programs compiled lane by lane."""
