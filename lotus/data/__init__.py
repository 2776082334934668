"""Images: where they come from, how they are stored, split and dealt into batches.

Uses records, config and what lies below.
"""
