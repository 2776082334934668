"""A finished experiment as a Workflow Run RO-Crate.

Uses tracking, records and what lies below; no torch.
"""
