"""The tables, as CSV and LaTeX.

Uses results, published and what lies below; no torch.
"""
