"""The figures, each drawn from files and nothing else.

Uses results and what lies below; no torch.
"""
