"""One run is one model: pretrained, retrained, unlearned, tuned, explained or evaluated.

Uses methods, results, engine, metrics and what lies below.
"""
