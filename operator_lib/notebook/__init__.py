"""What a notebook shows for runs, handles, plans, lists and errors; reached by name when a notebook asks."""
