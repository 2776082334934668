"""Records, which each step leaves beside its result: digests and seals, and the ledger of all of them.

Uses layout and what lies below.
"""
