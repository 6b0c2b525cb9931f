"""What every variable holds: found by running each operation on stand-ins for one example."""
