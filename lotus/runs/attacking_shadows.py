"""From the predictions of shadow models to what attacks find with them (`privacy`)."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lotus.attacks import u_lira
from lotus.attacks.base.answers import confidence
from lotus.attacks.base.klom import klom
from lotus.attacks.base.panel import Model
from lotus.attacks.base.shadows import Attacked, attack_each, success
from lotus.attacks.base.success import FPR
from lotus.errors import LotusError
from lotus.layout import ORIGINAL
from lotus.names import shown
from lotus.runs.attacking import (
    Runs,
    rates_to_json,
    sound_models,
    too_coarse,
    write_found,
)
from lotus.runs.labels import check_labels
from lotus.wording import counted

ATTACK = u_lira.SPEC.name
FEWEST = 4
"""Shadows of a row without which there is no attack."""


def attack_shadows(
    files: Runs, labels: Mapping[str, Any], out: Path, scores: Path, record: Path
) -> None:
    """Attacks shadow models, each with all the others of its row; writes as `attack_models` does.

    Args:
        files: predictions by row and shadow: the originals', and those of what was unlearned.

    Raises:
        LotusError: a label is none; a file is absent or damaged, or of other images than the others; or
            no shadow says which images it had.

    """
    check_labels(labels)
    models, collapsed = sound_models(files)
    had = _had(models, files)
    images = np.unique(np.concatenate([*had.values()]))
    rows: dict[str, dict[str, Any]] = {}
    kept: dict[str, np.ndarray] = {}
    distances: dict[str, Any] = {}
    labels_of = next(iter(models.values())).labels_of(images)
    said = {
        row: {
            seed: model.answers(images)
            for (name, seed), model in models.items()
            if name == row and seed in had
        }
        for row in dict.fromkeys(row for row, _ in files)
    }
    for row, of_row in said.items():
        found, arrays = _attack(of_row, had, images, labels_of)
        rows[row] = {ATTACK: found}
        kept |= {f"{row}/{ATTACK}/{name}": array for name, array in arrays.items()}
        if distance := _klom(of_row, said.get(ORIGINAL, {}), had, images, labels_of):
            distances[row] = distance
    content = {
        **labels,
        "fpr": FPR,
        "forgets_a_class": any(model.forgets_a_class for model in models.values()),
        "collapsed": collapsed,
        "rows": rows,
        "klom": distances,
    }
    write_found(content, kept, files, (out, scores, record), "shadow-attacks", __name__)


def _had(models: Mapping[tuple[str, int], Model], files: Runs) -> dict[int, np.ndarray]:
    """Shadow → the forget images that it had, as what was unlearned says."""
    had: dict[int, np.ndarray] = {}
    for (row, seed), model in models.items():
        if row == ORIGINAL:
            continue
        known = had.setdefault(seed, model.parts["forget"])
        if not np.array_equal(np.sort(known), np.sort(model.parts["forget"])):
            raise LotusError(
                f"{shown(files[row, seed])}: the {row} of seed {seed} forgot other images than the others"
            )
    if not had:
        raise LotusError(
            "attacks need what was unlearned of a shadow, which says what it forgot (--of)"
        )
    return had


def _attack(
    said: Mapping[int, np.ndarray],
    had: Mapping[int, np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the numbers of a row, and the scores of its images.

    Args:
        said: shadow → logits for all images `[n, classes]`.

    """
    seeds = [*said]
    if len(seeds) < FEWEST:
        sound = counted(len(seeds), "sound shadow")
        return {"auc": None, "why": f"{sound}, and at least {FEWEST} are needed"}, {}
    member = np.stack([np.isin(images, had[seed]) for seed in seeds])
    attacked = attack_each(u_lira.score, np.stack([*said.values()]), labels, member, images)
    if not len(attacked.images):
        return {"auc": None, "why": "no image was had by two shadows and not by two others"}, {}
    area, rate = success(attacked.scores, attacked.had, np.array(seeds) // 2)
    others = int((~attacked.had).sum())
    is_fine = 1 / others <= FPR
    numbers = {
        **rates_to_json(area, rate if is_fine else None),
        "finest_fpr": 1 / others,
        "images": len(attacked.images),
        "others": others,
        "left_out": len(images) - len(attacked.images),
        "reference_models": len(seeds) - 1,
        "seeds": {
            str(seed): found
            for seed, found in zip(seeds, attacked.aucs(), strict=True)
            if np.isfinite(found)
        },
        "why": "" if is_fine else too_coarse(counted(others, "pair"), 1 / others),
    }
    return numbers, _arrays(seeds, attacked)


def _arrays(seeds: list[int], attacked: Attacked) -> dict[str, np.ndarray]:
    """The scores of the images that each shadow had, and which share of all pairs without they outdo."""
    others = np.sort(attacked.scores[~attacked.had])
    found: dict[str, np.ndarray] = {}
    for seed, own, mine in zip(seeds, attacked.scores, attacked.had, strict=True):
        below, not_above = (np.searchsorted(others, own[mine], side) for side in ("left", "right"))
        found[f"{seed}/images"] = attacked.images[mine].astype(np.int64)
        found[f"{seed}/scores"] = own[mine]
        found[f"{seed}/outdone"] = ((below + not_above) / (2 * len(others))).astype(np.float32)
    return found


def _klom(
    said: Mapping[int, np.ndarray],
    originals: Mapping[int, np.ndarray],
    had: Mapping[int, np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
) -> dict[str, Any] | None:
    """Compares what was unlearned of an image with originals that were never trained on it."""
    if not said or not originals:
        return None
    own = np.stack([np.isin(images, had[seed]) for seed in said])
    never = np.stack([~np.isin(images, had[seed]) for seed in originals])
    margins = [confidence(logits, labels) for logits in (*said.values(), *originals.values())]
    found = klom(
        np.stack(margins),
        np.concatenate([own, np.zeros_like(never)]),
        np.concatenate([np.zeros_like(own), never]),
    )
    return None if found is None else asdict(found)
