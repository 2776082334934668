"""Accuracy on each split."""

from lotus.errors import LotusError
from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.released import ROUNDED_SHARE, round_share
from lotus.metrics.base.spec import Images
from lotus.predictions.predictions_file import Split


def accuracy(split: Split) -> float:
    """Share of images whose largest logit is their label.

    Raises:
        LotusError: no images.

    """
    if not len(split.labels):
        raise LotusError("accuracy: there are no images")
    return float((split.logits.argmax(axis=1) == split.labels).mean())


NAMED = {
    "forget": ("of the forget set", "f"),
    "retain": ("of the retain set", "r"),
    "val": ("held out for validation", "v"),
    "test": ("held out for the test", "t"),
}
"""Split → its images in words, and its sign in a formula."""


def _spec(split: Images, label: str, place: int) -> MetricSpec:
    """The metric of one split; how good it is, gold tells: a high forget accuracy is none to aim at."""
    words, sign = NAMED[split]
    return MetricSpec(
        name=f"accuracy_{split}",
        label=label,
        unit="share",
        claimed="higher",
        limits=(0, 1),
        place=place,
        words=f"The share of the images {words} whose label has the largest of the model's logits.",
        symbols=(
            f"Acc_{{{sign}}} = 1/|D_{{{sign}}}| · Σ_{{(x, y)}} [argmax_{{k}} z_{{k}}(x) = y], "
            f"(x, y) ∈ D_{{{sign}}}"
        ),
        images=(split,),
        counts=split,
        released=AsReleased(("E3",), round_share, words={"E3": ROUNDED_SHARE}),
    )


@measures(
    _spec("forget", "Forget acc.", 3),
    _spec("retain", "Retain acc.", 4),
    _spec("val", "Val acc.", 5),
    _spec("test", "Test acc.", 6),
    column=0,
)
def accuracies(case: Case) -> dict[str, float]:
    """Returns the accuracy on each of the four splits."""
    return {
        f"accuracy_{name}": accuracy(case.model[name])
        for name in ("forget", "retain", "val", "test")
    }
