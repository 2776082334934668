"""What may differ where results are made again on another machine or by other versions of the libraries.

Where machine and versions are those of the record, nothing may: only the same bytes will do. A record could
state another machine to be judged by these; an attestation therefore says which files were.
"""

import math
import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from lotus.errors import LotusError
from lotus.predictions.predictions_file import Predictions, Split, load, why_collapsed
from lotus.records.attested_words import ACCURACY, IMAGES, PROBABILITY, RELATIVE, ROUNDED

_NUMBER = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


def misfit_of_predictions(
    there: Path, again: Path, by_accuracy: Collection[str] | None = None
) -> str:
    """Returns why predictions are not within tolerances; '' if they are.

    Args:
        by_accuracy: splits that are judged by their accuracy, others by each probability; None: all are.

    """
    try:
        before, after = load(there), load(again)
        is_there, is_again = (
            "collapsed" if why_collapsed(it) else "sound" for it in (there, again)
        )
    except LotusError as error:
        return str(error)
    if _images(before) != _images(after):
        return "predictions for other images"
    if is_there != is_again:
        return f"the model is {is_there}, made again {is_again}"
    if is_there == "collapsed":
        # What such a model says is noise.
        return ""
    for name, split in before.items():
        judge = _accuracy if by_accuracy is None or name in by_accuracy else _probability
        if said := judge(split, after[name]):
            return f"split {name}: {said}"
    return ""


def _images(predictions: Predictions) -> dict[str, tuple[bytes, bytes, tuple[int, ...]]]:
    return {
        name: (split.indices.tobytes(), split.labels.tobytes(), split.logits.shape)
        for name, split in predictions.items()
    }


def _accuracy(before: Split, after: Split) -> str:
    if not len(before.labels):
        return ""
    was, now = (float((it.logits.argmax(axis=1) == it.labels).mean()) for it in (before, after))
    accepted = max(ACCURACY, IMAGES / len(before.labels))
    if abs(was - now) <= accepted:
        return ""
    return f"accuracy {was:.3f}, made again {now:.3f}, accepted: ± {accepted:.3f}"


def _probability(before: Split, after: Split) -> str:
    apart = float(np.abs(_softmax(before.logits) - _softmax(after.logits)).max(initial=0.0))
    if apart <= PROBABILITY:
        return ""
    return f"a probability differs by {apart:.3g}, accepted: {PROBABILITY}"


def _softmax(logits: np.ndarray) -> np.ndarray:
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True, initial=-np.inf))
    softmax: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return softmax


def misfit_of_weights(there: Path, again: Path) -> str:
    """Returns why weights cannot be those of the same network; '' if they have its tensors."""
    try:
        before, after = _tensors(there), _tensors(again)
    except (SafetensorError, OSError) as error:
        return f"weights cannot be read: {error}"
    return "" if before == after else "tensors of other names or shapes"


def _tensors(path: Path) -> dict[str, tuple[list[int], str]]:
    with safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {name: (it.get_shape(), it.get_dtype()) for name, it in slices.items()}


def misfit_of_text(there: Path, again: Path) -> str:
    """Returns the first number that is not within tolerance, or that the rest differs; else ''.

    The text that lies there may be forged: it can make no tolerance larger than that of the other.
    """
    try:
        before, after = (_NUMBER.split(it.read_text(encoding="utf-8")) for it in (there, again))
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {error}"
    if before[::2] != after[::2]:
        return "it says something else"
    coarsest = math.inf if there.suffix == ".tex" else ROUNDED
    for was, now in zip(before[1::2], after[1::2], strict=True):
        if was != now and not _is_close(was, now, coarsest):
            return f"{was}, made again {now}"
    return ""


def _is_close(was: str, now: str, coarsest: float) -> bool:
    apart, size = abs(float(was) - float(now)), abs(float(now))
    # Of a rounded number only zeros at its end are left out, so the finer one tells how it was rounded.
    unit = min(_last_digit(was), _last_digit(now), coarsest)
    return math.isfinite(apart) and apart <= max(RELATIVE * size, 1.000001 * unit)


def _last_digit(number: str) -> float:
    """Returns a unit of the last digit that is written; 0 of a whole number, which has none to lose."""
    digits, _, power = number.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    return float(f"0.{'1':0>{decimals}}e{power or 0}") if decimals else 0.0
