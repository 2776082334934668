"""When a model is of no use, in the words by which its predictions and its record say so."""

import numpy as np

NEAR_CHANCE = 0.05
KEPT = 2 / 3
"""Of what the original knows above chance of the images to be kept, the share that a useful model keeps."""
NOT_FINITE = " has values that are not finite"
SOUND, COLLAPSED = "sound", "collapsed: "
"""The outcome of a run, or how it begins."""
FAILED = "failed: "
"""How it begins where a method made no model: see `lotus.runs.failed`."""


def not_finite(weights: str) -> str:
    """Returns what is said of a model some of whose weights, of this name, are not finite."""
    return f"{weights}{NOT_FINITE}"


def near_chance(accuracy: float, largest: float) -> str:
    """Returns what is said of a model whose retain accuracy is near chance; '' of any other.

    Args:
        accuracy: on the images that the model was to keep.
        largest: share of the largest class among them.

    """
    limit = highest_near_chance(largest)
    if largest < 1 and accuracy <= limit:
        return f"retain accuracy {accuracy:.3f} is near chance (at most {limit:.3f})"
    return ""


def highest_near_chance(largest: float) -> float:
    """Returns the share of the largest class, plus 5 % of what lies between it and 1."""
    return largest + NEAR_CHANCE * (1 - largest)


def lost_most(accuracy: float, original: float, largest: float) -> str:
    """Returns what is said of a model that lost over a third of what the original knows; '' of any other.

    What is known is the accuracy above chance, which is the share of the largest class. An original that
    knows next to nothing itself says nothing of others. Whatever was forgotten is no part of it, so a
    model that forgot a whole class well is not called collapsed.

    Args:
        accuracy: of the model, on the retain images.
        original: of the original, on the same images.
        largest: share of the largest class among them.

    """
    if largest >= 1 or original <= highest_near_chance(largest):
        return ""
    kept = (accuracy - largest) / (original - largest)
    if kept >= KEPT:
        return ""
    return (
        f"retain accuracy {accuracy:.3f}: {max(0.0, kept):.0%} of what the original ({original:.3f}) knows "
        f"above chance ({largest:.3f}) is left, less than two thirds"
    )


def lost_most_of(right: np.ndarray, originals: np.ndarray, labels: np.ndarray) -> str:
    """The same of what both say of the retain images.

    Args:
        right, originals: whether the model, and the original, names the label; bool `[n]`, image by image.
        labels: `[n]`.

    """
    largest = float(np.bincount(labels).max() / len(labels))
    return lost_most(float(right.mean()), float(originals.mean()), largest)


def is_failed(collapsed: str) -> bool:
    """Whether a model is of no use since the method made none."""
    return collapsed.startswith(FAILED)


def outcome(collapsed: str) -> str:
    """Returns what a record notes as the outcome of a run."""
    if is_failed(collapsed):
        return collapsed
    return f"{COLLAPSED}{collapsed}" if collapsed else SOUND


def why_by(outcome: str) -> str:
    """Returns of a noted outcome why the model is of no use; '' if it is not so."""
    return "" if outcome == SOUND else outcome.removeprefix(COLLAPSED)
