"""Which training images are forgotten by rule: first, drawn, hardest or easiest ones, look-alikes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus.config.scenarios import Scenario
from lotus.data.duplicates import find_similar
from lotus.data.store import Store
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.records.files import write_json
from lotus.wording import counted

LOSSES, HASHES = "losses", "hashes"


@dataclass(frozen=True)
class Known:
    """Knowledge of training images besides their labels, in data-set order.

    Attributes:
        indices: into the store, int64 `[n]`.
        values: float64 `[n]`, the loss of each under models that were not trained on it, in nats; or
            uint64 `[n]`, its perceptual hash.

    """

    indices: np.ndarray
    values: np.ndarray

    def of(self, images: np.ndarray) -> np.ndarray:
        """Returns the values of some images, by their indices into the store."""
        found: np.ndarray = self.values[np.searchsorted(self.indices, images)]
        return found


def forget_by_rule(
    scenario: Scenario, by_class: Sequence[np.ndarray], seed: int, known: Known | None
) -> tuple[str, np.ndarray]:
    """The rule in words, and the images that it has forgotten, class after class, in data-set order.

    - `first`: the first of every class; `random`: drawn with `seed`.
    - `hardest`, `easiest`: those of every class with the highest or lowest loss under models that were
      not trained on them; of equal losses the first in data-set order.
    - `duplicates`: whole clusters of images of one class that look alike, the largest of all classes first,
      as long as they fit into the share of all images. Look-alikes are not in every class, so the share is
      of all classes together. What is left over, where no cluster fits, stays in the retain set.

    Args:
        by_class: training images of each class, indices into the store, ascending.
        known: losses or hashes of all of them, for the rules that go by these.

    Raises:
        LotusError: a rule lacks what it goes by, or too few images look like another.

    """
    counts, share = forgotten_of_each(scenario, [len(ids) for ids in by_class]), share_of(scenario)
    if scenario.forget_rule == "first":
        rule = f"the first {share} of each class in data-set order"
        drawn = [np.arange(count) for count in counts]
    elif scenario.forget_rule == "random":
        rule = f"{share} of each class, drawn at random with seed {seed}"
        rng = np.random.default_rng(seed)
        drawn = [
            np.sort(rng.permutation(len(ids))[:count])
            for ids, count in zip(by_class, counts, strict=True)
        ]
    elif known is None:
        raise LotusError(
            f"forget_rule = {scenario.forget_rule} needs the {scenario.reads} of the training images "
            "(--known FILE)"
        )
    elif scenario.forget_rule == "duplicates":
        return _whole_clusters(scenario, by_class, sum(counts), known)
    else:
        highest = scenario.forget_rule == "hardest"
        rule = (
            f"the {share} of each class with the {'highest' if highest else 'lowest'} loss under models "
            "that were not trained on them"
        )
        drawn = []
        for ids, count in zip(by_class, counts, strict=True):
            losses = known.of(ids)
            order = np.argsort(-losses if highest else losses, kind="stable")
            drawn.append(np.sort(order[:count]))
    return rule, np.concatenate([ids[d] for ids, d in zip(by_class, drawn, strict=True)])


def _whole_clusters(
    scenario: Scenario, by_class: Sequence[np.ndarray], wanted: int, known: Known
) -> tuple[str, np.ndarray]:
    clusters = [cluster for ids in by_class for cluster in _clusters(ids, known, scenario.distance)]
    total = sum(map(len, clusters))
    if total < wanted:
        raise LotusError(
            f"scenario {scenario.canonical_name}: {wanted} images are to be forgotten, but only {total} "
            f"training images look like another of their class (hashes that differ in at most "
            f"{scenario.distance} bits); take a smaller forget_fraction, or a larger alike_within"
        )
    chosen = np.zeros(0, np.int64)
    count = 0
    for cluster in sorted(clusters, key=lambda of: (-len(of), of[0])):
        if len(chosen) + len(cluster) <= wanted:
            chosen = np.concatenate([chosen, cluster])
            count += 1
    rule = (
        f"{counted(count, 'whole cluster')} of look-alikes of one class (hashes that differ in at most "
        f"{scenario.distance} bits), the largest first: {len(chosen)} images, as many as fit into "
        f"{share_of(scenario)}"
    )
    return rule, np.concatenate([ids[np.isin(ids, chosen)] for ids in by_class])


def _clusters(images: np.ndarray, known: Known, distance: int) -> list[np.ndarray]:
    """Images that look like another, cluster by cluster."""
    if not len(images):
        return []
    groups = find_similar(known.of(images), distance).groups()
    return [images[groups == one] for one in np.flatnonzero(np.bincount(groups) > 1)]


def forgotten_of_each(scenario: Scenario, sizes: Sequence[int]) -> list[int]:
    """How many images of each class a scenario with a rule forgets, of so many training images.

    Of look-alikes, that many of all classes together are the most.
    """
    if scenario.forget_per_class is not None:
        return [min(scenario.forget_per_class, size) for size in sizes]
    return [int((scenario.forget_fraction or 0.0) * size) for size in sizes]


def share_of(scenario: Scenario) -> str:
    """The same in words."""
    if scenario.forget_per_class is not None:
        return f"{scenario.forget_per_class} images"
    return f"{100 * (scenario.forget_fraction or 0.0):g} %"


def save_known(path: Path, store: Store, what: str, values: np.ndarray) -> None:
    """Writes what is known of the training images of a store, with their indices and labels (JSON).

    Args:
        what: `losses` or `hashes`.
        values: see `Known`.

    Raises:
        LotusError: a loss is not finite.

    """
    train = store.part("train")
    if what == LOSSES and not np.isfinite(values).all():
        image = int(train[~np.isfinite(values)][0])
        raise LotusError(
            f"image {image}: its loss is not finite, so a training has diverged; take another recipe, or "
            "another architecture (ranked_by)"
        )
    listed = [f"{it:016x}" for it in values.tolist()] if what == HASHES else values.tolist()
    write_json(
        path, {"indices": train.tolist(), "labels": store.labels[train].tolist(), what: listed}
    )


def read_known(path: Path | None, store: Store, scenario: Scenario) -> Known | None:
    """Reads what the rule of a scenario goes by; None where it goes by nothing but labels.

    Raises:
        LotusError: as `load_known`, or a file is given that the rule does not read.

    """
    if path is None:
        return None
    if scenario.reads is None:
        raise LotusError(f"{path}: forget_rule = {scenario.forget_rule} reads no such file")
    return load_known(path, store, scenario.reads)


def load_known(path: Path, store: Store, what: str) -> Known:
    """Reads what `save_known` wrote.

    Raises:
        LotusError: absent, damaged, of other images than the training images of the store, or with a loss
            that is not finite.

    """
    try:
        content = parse_json(read_file(path))
        indices, labels, values = (_column(content, name) for name in ("indices", "labels", what))
        if what == HASHES:
            known = np.array([int(value, 16) for value in values], np.uint64)
        else:
            known = np.array([float(value) for value in values], np.float64)
    except OSError as error:
        raise LotusError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise LotusError(
            f"{path}: is not a list of {what} of training images: {error}; make it again"
        ) from error
    train = store.part("train")
    if (
        indices != train.tolist()
        or labels != store.labels[train].tolist()
        or len(known) != len(train)
    ):
        raise LotusError(
            f"{path}: is of other images than the {len(train)} training images of "
            f"{store.source.get('dataset', store.folder)}; make it again"
        )
    if what == LOSSES and not np.isfinite(known).all():
        image = int(train[~np.isfinite(known)][0])
        raise LotusError(f"{path}: the loss of image {image} is not finite; make it again")
    return Known(train, known)


def _column(content: Any, name: str) -> list[Any]:
    column = content.get(name) if isinstance(content, dict) else None
    if not isinstance(column, list):
        raise ValueError(f"it has no list of {name}")
    return column
