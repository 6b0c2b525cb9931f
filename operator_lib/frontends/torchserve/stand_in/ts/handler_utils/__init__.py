"""What handlers are decorated with."""
