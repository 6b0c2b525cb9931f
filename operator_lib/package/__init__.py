"""From a folder and an operator to what travels: ignore rules, manifest, entry, plan, requirements."""
