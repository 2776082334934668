"""Two sets of results beside each other: which numbers moved, and which recorded changes explain it."""
