"""Metrics and records, read as tables of numbers.

Uses metrics and what lies below; no torch.
"""
