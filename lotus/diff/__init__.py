"""Two sets of results beside each other: which numbers changed, and which recorded changes explain it.

Uses tables, results, records and what lies below; no torch.
"""
