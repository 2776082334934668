"""From a trained model, its images and a list to a configuration by which the model forgets them.

Uses plan, runs, models, data and what lies below; the command line alone uses it.
"""
