"""Certificates of single unlearned models: what was asked, done and measured, and what that is worth.

Uses lineage, records and results; the command line alone uses it.
"""
