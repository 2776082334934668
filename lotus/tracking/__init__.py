"""DVC, called as its command, and the files in which it says what it tracks.

Uses records, git and what lies below.
"""
