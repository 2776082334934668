"""From a trained model, its images and a list to a configuration by which the model forgets them.

Uses models, data and the reading of configurations; the command line alone uses it.
"""
