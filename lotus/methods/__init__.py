"""Unlearning methods: one file each, found by being here or through an entry point of another package.

A method sees a `Task` and nothing else: no test images, no gold model, no metric. Uses engine, data and
what lies below.
"""
