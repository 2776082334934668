"""A finished experiment as a Workflow Run RO-Crate.

Uses audit, records and what lies below; no torch.
"""
