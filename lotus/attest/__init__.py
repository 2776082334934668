"""Attestation: drawn runs, metrics, tables, figures and claims made again elsewhere, and what came out.

Uses plan, records, predictions and what lies below.
"""
