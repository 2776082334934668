"""In what steps a measure can be read: an accuracy on n images resolves 1/n."""

from collections.abc import Mapping, Sequence
from itertools import chain
from math import hypot, sqrt
from pathlib import Path

from lotus.metrics.base import registry
from lotus.metrics.base.released import STEPS
from lotus.results.metrics_file import read_metrics


def fewest_images(files: Sequence[Path]) -> Mapping[str, int]:
    """Returns how many images each split has, in the seed that has fewest; none where files do not say.

    Args:
        files: metrics of one cell, one for each seed.

    """
    stated = [read_metrics(path).get("images", {}) for path in files]
    return {
        split: min(of.get(split, 0) for of in stated) for split in dict.fromkeys(chain(*stated))
    }


def least_deviation(step: float, of_difference: bool = False) -> float:
    """Returns the deviation of a value that is read in steps: that of a uniform error of ± half a step.

    Args:
        of_difference: whether it is one of two such values, whose errors are independent.

    """
    return step / sqrt(6 if of_difference else 12)


def resolution(metric: str, images: Mapping[str, int], is_rounded: bool = False) -> float:
    """Returns the step between two values of a metric; 0 where none is known.

    Of a mean of several such shares, as Avg Gap is: a step as uncertain as that of independent parts.

    Args:
        images: how many images each split has.
        is_rounded: whether the values of runs are rounded as the published code does (E3).

    """
    spec = registry.specs().get(metric)
    if spec is None:
        return 0.0
    if spec.terms:
        steps = [resolution(term, images, is_rounded) for term in spec.terms]
        return hypot(*steps) / len(steps)
    count = images.get(spec.counts, 0) if spec.counts is not None else 0
    by_images = 1 / count if count else 0.0
    rounding = spec.released.rounded
    return max(by_images, STEPS.get(rounding, 0.0)) if is_rounded and rounding else by_images
