"""JSON, YAML and UTF-8, read strictly: a mistake has its file and line, and no value is taken for another.

Uses errors, names and wording.
"""
