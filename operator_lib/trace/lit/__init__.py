"""A run laid over its graph: which node a call belongs to, in which round, and what became of every node."""
