"""How a network is trained, asked and saved, on which device, and the process that jobs are forked from.

Uses data, records and what lies below.
"""
