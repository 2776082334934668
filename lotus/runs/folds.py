"""In how many parts training images are held out in turn, and the seed by which this is drawn."""

from lotus.wording import counted

FOLDS = 4
"""Each image is held out from one of so many models, which are trained on three quarters of the images."""
RANKING_SEED = 0
"""The same whatever seeds a configuration has: all forget the same hardest and easiest images."""


def too_few_to_rank(name: str, count: int) -> str:
    """Returns why a class of so many training images, fewer than there are folds, cannot be ranked."""
    return (
        f"class {name} has {counted(count, 'training image')}, too few to rank them: each of {FOLDS} "
        "models has to hold out one"
    )
