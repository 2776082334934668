"""Accuracy on each split."""

from lotus.errors import LotusError
from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.released import round_share
from lotus.predictions.predictions_file import Split


def accuracy(split: Split) -> float:
    """Share of images whose largest logit is their label.

    Raises:
        LotusError: no images.

    """
    if not len(split.labels):
        raise LotusError("accuracy: there are no images")
    return float((split.logits.argmax(axis=1) == split.labels).mean())


def _spec(split: str, label: str, place: int) -> MetricSpec:
    """The metric of one split; how good it is, gold tells: a high forget accuracy is none to aim at."""
    return MetricSpec(
        name=f"accuracy_{split}",
        label=label,
        unit="share",
        claimed="higher",
        limits=(0, 1),
        place=place,
        released=AsReleased(("E3",), round_share),
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
