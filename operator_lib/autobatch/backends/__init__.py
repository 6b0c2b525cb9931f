"""Array libraries that programs run on."""
