"""From the predictions of all seeds of a cell to what membership attacks find, with every image's score."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.attacks.base import registry
from lotus.attacks.base.answers import confidence
from lotus.attacks.base.klom import FEWEST as FEWEST_FOR_KLOM
from lotus.attacks.base.klom import klom
from lotus.attacks.base.panel import Model, Panel
from lotus.attacks.base.run_attacks import Found, run_attacks
from lotus.attacks.base.success import FPR, Estimate
from lotus.errors import LotusError
from lotus.layout import ORIGINAL
from lotus.names import shown
from lotus.predictions import predictions_file
from lotus.predictions.collapse import lost_most_of
from lotus.predictions.predictions_file import Predictions, Split
from lotus.records.files import relative, sha256, write_json
from lotus.records.record import write_record
from lotus.results.attack_scores import ScoresFile, save_scores
from lotus.results.metrics_file import KEYS
from lotus.runs.labels import check_labels
from lotus.wording import counted

Runs = Mapping[tuple[str, int], Path]
"""(row, seed) → predictions."""


def runs_of(given: Iterable[tuple[str, int, Path]]) -> dict[tuple[str, int], Path]:
    """Returns the predictions by row and seed.

    Raises:
        LotusError: one is given twice, or a row has no name.

    """
    found: dict[tuple[str, int], Path] = {}
    for row, seed, path in given:
        if not row or (row, seed) in found:
            said = "a row has no name" if not row else f"{shown(row)}, seed {seed}, is given twice"
            raise LotusError(f"--of: {said}")
        found[row, seed] = path
    return found


def attack_models(
    files: Runs, labels: Mapping[str, Any], out: Path, scores: Path, record: Path
) -> None:
    """Runs every attack on every model of a cell; writes what they find, all scores, and the record.

    Args:
        files: predictions by row and seed: the original's and at least one other's for each seed.
        labels: data set, architecture, scenario and protocol, and the study if there is one.
        out: what was found (JSON).
        scores: the score of every image (npz), as `lotus.results.attack_scores` reads it.

    Raises:
        LotusError: a label is none, a file is absent or damaged, or a model was not asked about images
            that the others were asked about.

    """
    check_labels(labels)
    panel, collapsed = _panel(files)
    rows: dict[str, dict[str, Any]] = {row: {} for row, _ in files}
    kept: dict[str, np.ndarray] = {}
    for row, spec, found in run_attacks([*registry.specs().values()], panel):
        rows[row][spec.name] = _to_json(found)
        kept |= _to_arrays(row, spec.name, found)
    content = {
        **labels,
        "fpr": FPR,
        "forgets_a_class": panel.forgets_a_class,
        "collapsed": collapsed,
        "rows": rows,
        "klom": _distances(panel),
    }
    write_found(content, kept, files, (out, scores, record), "attacks", __name__)


def write_found(
    content: Mapping[str, Any],
    scores: Mapping[str, np.ndarray],
    files: Runs,
    places: tuple[Path, Path, Path],
    kind: str,
    module: str,
) -> None:
    """Writes what attacks found, the scores, and the record.

    Args:
        content: of the first file, but for the predictions.
        places: of the three files.
        kind: of the record.
        module: in which the step begins.

    """
    out, kept, record = places
    named = [
        {"row": row, "seed": seed, "path": relative(path), "sha256": sha256(path)}
        for (row, seed), path in files.items()
    ]
    save_scores(kept, ScoresFile(str(content.get("dataset", "")), scores))
    write_json(out, {**content, "predictions": named})
    write_record(
        record,
        kind=kind,
        modules=[module],
        about={key: content[key] for key in KEYS if key in content},
        settings={"of": [[row, seed] for row, seed in files]},
        inputs=list(files.values()),
        outputs=[out, kept],
    )


def _distances(panel: Panel) -> dict[str, Any]:
    """Row → KLoM to the gold models of all seeds, of images that all seeds forget, if there are enough."""
    golds = [panel.models[key] for key in panel.golds]
    common = panel.forget(panel.seeds[0])
    for seed in panel.seeds:
        common = np.intersect1d(common, panel.forget(seed))
    if len(golds) < FEWEST_FOR_KLOM or not len(common):
        return {}
    labels = golds[0].labels_of(common)
    found = {}
    for row in panel.rows:
        own = [panel.models[row, seed] for seed in panel.seeds_of(row)]
        # A gold is held against others, not against itself.
        others = [gold for gold in golds if not any(gold is model for model in own)]
        margins = [confidence(model.answers(common), labels) for model in (*own, *others)]
        kinds = np.arange(len(margins))[:, None] < np.full(len(common), len(own))
        distance = klom(np.stack(margins), kinds, ~kinds) if others else None
        if distance is not None:
            found[row] = asdict(distance)
    return found


def sound_models(
    files: Runs,
) -> tuple[dict[tuple[str, int], Model], dict[str, dict[str, str]]]:
    """Returns the sound models, and why the others are of no use: row → seed → reason.

    Of no use are the models that the metrics call collapsed too.
    """
    right: dict[int, pd.Series] = {}
    for (row, seed), path in files.items():
        if row == ORIGINAL:
            train = predictions_file.load(path)["train"]
            right[seed] = pd.Series(_names_labels(train), train.indices)
    models: dict[tuple[str, int], Model] = {}
    collapsed: dict[str, dict[str, str]] = {}
    for (row, seed), path in files.items():
        predictions = predictions_file.load(path)
        why = predictions_file.why_collapsed(path)
        if why := why or _lost_most(predictions, right.get(seed)):
            collapsed.setdefault(row, {})[str(seed)] = why
        else:
            models[row, seed] = Model.of(predictions)
    return models, collapsed


def _lost_most(predictions: Predictions, right: pd.Series | None) -> str:
    """Returns what is said of a model that lost most of what the original knows, where both are known.

    Args:
        right: image → whether the original of the same seed names its label.

    """
    retain = predictions.get("retain")
    if retain is None or right is None:
        return ""
    originals = right.reindex(retain.indices)
    if originals.isna().any():
        return ""
    return lost_most_of(_names_labels(retain), originals.to_numpy(dtype=bool), retain.labels)


def _names_labels(split: Split) -> np.ndarray:
    """Whether a model names the label of each image; bool `[n]`."""
    named: np.ndarray = split.logits.argmax(axis=1) == split.labels
    return named


def _panel(files: Runs) -> tuple[Panel, dict[str, dict[str, str]]]:
    """Returns the sound models, and why the others are of no use: row → seed → reason."""
    models, collapsed = sound_models(files)
    if not any("forget" in model.parts for model in models.values()):
        raise LotusError(
            "attacks need a sound model beside the originals, which says what was forgotten (--of)"
        )
    panel = Panel(models)
    wanted = [
        of(seed) for seed in panel.seeds for of in (panel.forget, panel.validation, panel.test)
    ]
    images = np.unique(np.concatenate(wanted))
    _check(panel, files)
    # Of 50,000 retain images nothing more is asked.
    slim = {key: model.only(images) for key, model in models.items()}
    return Panel(slim), collapsed


def _check(panel: Panel, files: Runs) -> None:
    """Refuses models of one seed that were asked about other images."""
    for (row, seed), model in panel.models.items():
        if seed not in panel.seeds:
            raise LotusError(
                f"{shown(files[row, seed])}: no model of seed {seed} says what was forgotten (--of)"
            )
        asked = [panel.forget(seed), panel.validation(seed), panel.unseen(seed)]
        if not all(np.isin(images, model.indices).all() for images in asked):
            raise LotusError(
                f"{shown(files[row, seed])}: the {row} of seed {seed} was not asked about the images that "
                "the other models of this seed were asked about"
            )
        if row != ORIGINAL and not np.array_equal(
            np.sort(model.parts.get("forget", asked[0])), np.sort(asked[0])
        ):
            raise LotusError(
                f"{shown(files[row, seed])}: the {row} of seed {seed} forgot other images than the others"
            )


def _to_json(found: Found) -> dict[str, Any]:
    """Returns the numbers of an attack on a row; None where there is none, with the reason."""
    why = "; ".join(dict.fromkeys(found.why_not.values()))
    if not found.seeds:
        return {"auc": None, "why": why or "every model of this row collapsed"}
    area, rate = found.auc, found.tpr
    if rate is None:
        why = too_coarse(counted(found.others, "image"), found.finest_fpr)
    return {
        **rates_to_json(area, rate),
        "finest_fpr": found.finest_fpr,
        "images": found.images,
        "others": found.others,
        "left_out": sum(of.left_out for of in found.seeds.values()),
        "reference_models": min(of.references for of in found.seeds.values()),
        "seeds": {str(seed): of.auc for seed, of in found.seeds.items()},
        "why": why,
    }


def rates_to_json(area: Estimate, rate: Estimate | None) -> dict[str, float | None]:
    """Returns AUC and TPR at `FPR` with their intervals; None for a rate that cannot be told."""
    of_tpr = (None, None, None) if rate is None else (rate.value, rate.low, rate.high)
    return {
        "auc": area.value,
        "auc_low": area.low,
        "auc_high": area.high,
        **dict(zip(("tpr_at_1_fpr", "tpr_low", "tpr_high"), of_tpr, strict=True)),
    }


def too_coarse(others: str, finest: float) -> str:
    """Says why there is no TPR at `FPR`.

    Args:
        others: how many are on the other side, in words.
        finest: the smallest false-positive rate above 0 that they can show.

    """
    return f"{others} on the other side resolve a false-positive rate of {finest:.2%} at best"


def _to_arrays(row: str, attack: str, found: Found) -> dict[str, np.ndarray]:
    """Returns the scores of an attack on a row, by the names that `ScoresFile` has for them."""
    kept: dict[str, np.ndarray] = {}
    for seed, of in found.seeds.items():
        place = f"{row}/{attack}/{seed}"
        kept[f"{place}/images"] = of.images.astype(np.int64)
        kept[f"{place}/scores"] = of.scores
        kept[f"{place}/outdone"] = of.outdone.astype(np.float32)
    return kept
