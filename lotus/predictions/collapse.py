"""When a model is of no use, in the words by which its predictions and its record say so."""

NEAR_CHANCE = 0.05
NOT_FINITE = " has values that are not finite"


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


def outcome(collapsed: str) -> str:
    """Returns what a record notes as the outcome of a run."""
    return f"collapsed: {collapsed}" if collapsed else "sound"
