"""The command line: each command reads its arguments and calls one function.

Uses all that lies below.
"""
