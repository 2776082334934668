"""The command line: each command reads its arguments and calls one function.

Uses every room.
"""
