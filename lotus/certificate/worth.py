"""What a certificate proves, and what it does not: sentences that follow from what it states."""

from collections.abc import Mapping
from typing import Any

from lotus.results.titles import row_title
from lotus.wording import all_of, counted

Content = Mapping[str, Any]
MOSTLY = 0.8
"""A check that noticed less than this share of what it was to notice is named as weak."""


def proves(content: Content) -> list[str]:
    """Returns what whoever checks the files can take as shown."""
    asked, done = content["asked"], content["done"]
    images = counted(len(asked["images"]), "image")
    made, begun = (f"sha256 {done[key]['sha256'][:16]}…" for key in ("unlearned", "original"))
    return [
        f"{row_title(done['method'])} made the weights with {made} from the original with {begun}, and was "
        f"told to forget the {images} listed here. So say the records; they are sealed, name each "
        "other, and state the command that repeats the step.",
        "Every file that is listed here had, when this was written, the bytes that its record states.",
        "The numbers were computed from the answers of these weights to these images.",
    ]


def does_not_prove(content: Content) -> list[str]:
    """Returns what nobody may read into it."""
    asked, found = content["asked"], content["look_alikes"]
    said = [
        "That no trace of the images is left in the weights: no method that was tried here guarantees "
        "that, and a check that finds nothing is no proof that there is nothing.",
        "Anything about other copies of the original weights, of the images, or of models that were made "
        "from either.",
    ]
    if content["done"]["checkpoint"] is not None:
        said.append(
            "That the original was trained on these images: its weights were brought along, and their "
            "training left no record here."
        )
    same = sum(pair["same_pixels"] for pair in found["pairs"])
    if found["found"]:
        equal = f", {same} of them the same pixel by pixel" if same else ""
        said.append(
            f"That what the images show is forgotten: {counted(found['found'], 'pair')} of a forgotten and "
            f"a kept image look alike{equal}, and the model still learnt from the kept ones."
        )
    else:
        said.append(
            f"That nothing else shows the same: among the {asked['kept']} kept images none looks like a "
            f"forgotten one (hashes that differ in at most {found['within']} of 64 bits), but other "
            "pictures of the same person or thing can look different."
        )
    return [*said, *_of_checks(content)]


def _of_checks(content: Content) -> list[str]:
    strength = content["strength"]
    if strength["unknown"]:
        return [
            f"That these checks would have noticed if nothing had been forgotten: {strength['unknown']}."
        ]
    weak = [check["label"] for check in strength["checks"] if _share(check["nothing"]) < MOSTLY]
    fooled = [check["label"] for check in strength["checks"] if _share(check["lookup"]) < MOSTLY]
    said = []
    if weak:
        said.append(
            f"Anything by {all_of(weak)}: tried on models to which nothing was done, "
            f"{'this check' if len(weak) == 1 else 'these checks'} noticed it too seldom."
        )
    if fooled:
        said.append(
            f"That the forgetting is not faked, as far as it rests on {all_of(fooled)}: a model that "
            "answers known images with another image's output passes."
        )
    return said


def _share(noticed: Mapping[str, int]) -> float:
    return noticed["alarms"] / noticed["models"] if noticed["models"] else 0.0
