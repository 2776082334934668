"""What a step leaves beside its result: the record, its digests and seal, and the ledger of all records.

Uses layout, config and what lies below.
"""
