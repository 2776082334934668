"""The way forwards: which runs, numbers and verdicts rest on an image, a file, a module or a setting.

Uses lineage, audit, claims and what lies below; no torch, and no plug-in.
"""
