"""DVC and git, called as their commands.

Uses data, records and what lies below.
"""
