"""A finished experiment as a Workflow Run RO-Crate: its files, its account, its entities, writing."""
