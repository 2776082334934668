"""What a configuration comes to: the grid, the tables and figures, and the one list of steps.

Uses figures, tables, methods and what lies below.
"""
