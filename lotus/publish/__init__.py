"""Sharing results through DVC and git, taking them back, and drawing figures again from predictions.

Uses audit, plan, tracking and what lies below.
"""
