"""The report: one page that holds everything, and says of every number where it comes from.

Uses claims, figures, tables and what lies below; no torch.
"""
