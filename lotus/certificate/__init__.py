"""Certificates of single unlearned models: what was asked, done and measured, and what that is worth.

Uses attest, lineage, results and what lies below; the command line alone uses it.
"""
