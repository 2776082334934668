"""The experiment that a configuration declares: its sections, how they are read, and the protocols.

Uses formats and what lies below.
"""
