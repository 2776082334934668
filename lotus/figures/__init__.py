"""The figures, each drawn from files and nothing else.

Uses tables, results and what lies below; no torch.
"""
