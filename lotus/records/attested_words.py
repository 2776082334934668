"""What attestations say of their own worth: by what alikeness was judged, and what they prove.

No attestation says anything else, whoever wrote it.
"""

from collections.abc import Mapping

WHOLE, FROM_WEIGHTS = "whole runs", "predictions from weights"
"""Depths: a run made again from its inputs, or only its predictions from the weights that lie there."""
PICTURES = (".svg", ".pdf", ".png")
"""Endings of files that are not compared but by their bytes."""
PROBABILITY = 0.01
"""Of any class and image, between predictions of the same weights."""
ACCURACY = 0.05
"""Of any split, between whole runs; of a small split at least that of `IMAGES` images."""
IMAGES = 3
RELATIVE = 1e-6
"""Of any number in a table or metrics file; at least one unit of the last digit that is written."""
ROUNDED = 0.01
"""Coarsest unit to which CSV and JSON round a number; others they have with all its digits."""
TOLERANCES: Mapping[str, str] = {
    "predictions from weights": f"each probability within {PROBABILITY}; of a split that is seen through "
    "random augmentation, which another device draws otherwise, the accuracy as of whole runs",
    "whole runs": f"the accuracy of each split within {ACCURACY}, or {IMAGES} images of a small one; "
    "weights by names and shapes alone. Trainings on different devices differ like those of two seeds, "
    "so this tells models that behave otherwise, and no others",
    "numbers": f"each within {RELATIVE:g} of its size, or a unit of the last digit that both have, which "
    f"is at most {ROUNDED} outside LaTeX",
    "pictures": "not compared",
}
"""By what "within tolerances" is judged."""
PROVES = {
    WHOLE: "Each drawn run came out as its finding says when this code did its step again on this machine, "
    "from the inputs whose digests stand here. A run that is not what its step makes of its inputs is "
    "found if it is drawn.",
    FROM_WEIGHTS: "The predictions of each drawn run came out as its finding says when its weights, as "
    "they lie here, were asked again; how the weights came about was not looked at, and whether the model "
    "was left in train mode was taken from the run's record.",
    "results": "Metrics, tables, figures and claims came out as their findings say when they were made "
    "again of the predictions, run records and other files that lie here.",
    "chance": "Where runs were forged before the seed was known, and by others than those who chose it, "
    "the chances say how likely this draw was to miss all of them.",
    "not": "It does not show that images and labels are what they are said to be, that the code does what "
    "the paper says, how long anything took, or when and by whom it was first run. Times and machine of a "
    "record are never attested.",
}


def proves(depth: str, has_runs: bool, has_results: bool) -> list[str]:
    """Returns what an attestation can show and what not, in sentences.

    Args:
        depth: of the runs, `WHOLE` or `FROM_WEIGHTS`.
        has_runs: whether runs were drawn.
        has_results: whether metrics, tables, figures and claims were made again.

    """
    of_runs = [PROVES[depth], PROVES["chance"]] if has_runs else []
    return [*of_runs, *([PROVES["results"]] if has_results else []), PROVES["not"]]
