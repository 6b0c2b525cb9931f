"""Names that handlers annotate metrics with."""
