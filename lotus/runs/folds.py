"""In how many parts training images are held out in turn, and the seed by which this is drawn."""

FOLDS = 4
"""Each image is held out from one of so many models, which are trained on three quarters of the images."""
RANKING_SEED = 0
"""The same whatever seeds a configuration has: all forget the same hardest and easiest images."""
