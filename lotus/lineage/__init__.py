"""From an artifact or a number down to the source files: the tree of what it was made of.

Uses audit, records and what lies below; no torch.
"""
