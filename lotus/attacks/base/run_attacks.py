"""Every attack on every model of a cell: how well it tells forget images, and the score of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lotus.attacks.base.known import Known, References
from lotus.attacks.base.panel import Panel, is_gold
from lotus.attacks.base.spec import AttackSpec
from lotus.attacks.base.success import (
    FPR,
    Estimate,
    Scored,
    auc_of,
    resolution,
    tpr_of,
)
from lotus.metrics.membership import auc
from lotus.wording import counted

FEWEST = 1
"""Usable reference models without which an image is left out."""


@dataclass(frozen=True)
class OfSeed:
    """An attack on one model.

    Attributes:
        images: indices of the seed's forget images; `[n]`.
        scores: of these, float32, NaN of images that are left out; `[n]`.
        others: what they are held against: one for each set of answers, unseen images' or a gold's.
        left_out: number of forget images with too few reference models.
        references: the fewest reference models of an image.

    """

    images: np.ndarray
    scores: np.ndarray
    others: Sequence[Scored]
    left_out: int
    references: int

    @property
    def auc(self) -> float:
        """AUC of this model alone."""
        return float(np.mean([auc(one.member, one.other) for one in self.others]))

    @property
    def outdone(self) -> np.ndarray:
        """Share of the others whose score is lower, ties counting half; `[n]`, NaN where left out."""
        found = []
        for one in self.others:
            ordered = np.sort(one.other)
            below = np.searchsorted(ordered, self.scores, "left")
            not_above = np.searchsorted(ordered, self.scores, "right")
            found.append((below + not_above) / (2 * len(ordered)))
        shares: np.ndarray = np.where(np.isnan(self.scores), np.nan, np.mean(found, axis=0))
        return shares


@dataclass(frozen=True)
class Found:
    """An attack on a row.

    Attributes:
        seeds: seed → the attack on its model.
        why_not: seed → why there is none.

    """

    seeds: dict[int, OfSeed] = field(default_factory=dict)
    why_not: dict[int, str] = field(default_factory=dict)

    @property
    def _weighted(self) -> tuple[list[Scored], list[float]]:
        pairs = [
            (one, 1 / len(self.seeds) / len(of.others))
            for of in self.seeds.values()
            for one in of.others
        ]
        return [one for one, _ in pairs], [weight for _, weight in pairs]

    @property
    def auc(self) -> Estimate:
        """Mean over the seeds, with its interval over images."""
        return auc_of(*self._weighted)

    @property
    def finest_fpr(self) -> float:
        """The smallest false-positive rate that the others resolve."""
        return resolution(self._weighted[0])

    @property
    def tpr(self) -> Estimate | None:
        """TPR at 1 % FPR, likewise; None where so few others cannot show so low a rate."""
        return None if self.finest_fpr > FPR * (1 + 1e-9) else tpr_of(*self._weighted)

    @property
    def images(self) -> int:
        """Number of different forget images."""
        return len(np.unique(np.concatenate([one.of_member for one in self._weighted[0]])))

    @property
    def others(self) -> int:
        """The fewest others that the forget images of one model are held against."""
        return min(len(one.other) for one in self._weighted[0])


def run_attack(spec: AttackSpec, panel: Panel, row: str) -> Found:
    """Attacks the sound models of a row."""
    found = Found()
    for seed in panel.seeds_of(row):
        if spec.is_against_gold:
            done = _against_gold(spec, panel, row, seed)
        else:
            done = _against_unseen(spec, panel, row, seed)
        if isinstance(done, OfSeed):
            found.seeds[seed] = done
        else:
            found.why_not[seed] = done
    return found


def _against_unseen(spec: AttackSpec, panel: Panel, row: str, seed: int) -> OfSeed | str:
    """Forget images against unseen ones, both answered by the attacked model."""
    model, forget, unseen = panel.models[row, seed], panel.forget(seed), panel.unseen(seed)
    if not len(unseen):
        return "no unseen image is of the forgotten class"
    images = np.concatenate([forget, unseen])
    known = Known(model.answers(images), model.labels_of(images))
    counts = np.full(len(images), FEWEST)
    if spec.needs:
        out = panel.without(images, [seed])
        if not len(out.logits):
            return NO_GOLD
        counts = out.counts
        known = Known(known.logits, known.labels, out, None, panel.population(row, seed, [seed]))
    kept = counts >= FEWEST
    is_member = np.arange(len(images)) < len(forget)
    if not kept[is_member].any():
        return NO_IMAGE
    scores = np.full(len(images), np.nan, np.float32)
    scores[kept] = spec.score(_only(known, kept))
    others = kept & ~is_member
    members = kept & is_member
    scored = Scored(scores[members], scores[others], images[members], images[others])
    fewest = int(counts[kept].min()) if spec.needs else 0
    left_out = int((~kept[is_member]).sum())
    return OfSeed(forget, scores[is_member], [scored], left_out, fewest)


NO_GOLD = "no gold model of another seed to compare with"
NO_IMAGE = "every forget image was in the training set of all gold models of other seeds"


def _against_gold(spec: AttackSpec, panel: Panel, row: str, seed: int) -> OfSeed | str:
    """Forget images, answered by the attacked model against the same answered by gold models.

    Both are scored with the same reference models; none of these is of the seed of either.
    """
    images = panel.forget(seed)
    done = [
        one
        for gold in _on_the_other_side(panel, row, seed)
        if (one := _against(spec, panel, row, seed, gold)) is not None
    ]
    if not done:
        return (
            "no gold model is left to stand on the other side beside those that are compared with; "
            f"that takes {counted(3 if is_gold(row) else 2, 'seed')}"
        )
    scores = np.stack([own for own, *_ in done])
    known = ~np.isnan(scores)
    # With several golds on the other side the image's score is the mean over their reference models.
    summed = np.where(known, scores, 0).sum(axis=0)
    mean = np.where(known.any(axis=0), summed / np.maximum(known.sum(axis=0), 1), np.nan)
    return OfSeed(
        images,
        mean.astype(np.float32),
        [scored for _, scored, _ in done],
        int((~known.any(axis=0)).sum()),
        min(references for *_, references in done),
    )


def _on_the_other_side(panel: Panel, row: str, seed: int) -> list[tuple[str, int]]:
    """Gold models to hold a model against: of its own seed; for a gold without such, that of the next seed.

    Not those of all other seeds: each pair of golds would stand there both ways round, and the mean would
    be ½ whatever they say.
    """
    own = [key for key in panel.golds if key[1] == seed and key[0] != row]
    if own or not is_gold(row):
        return own
    seeds = [of for name, of in panel.golds if name == row]
    following = seeds[(seeds.index(seed) + 1) % len(seeds)]
    return [] if following == seed else [(row, following)]


def _against(
    spec: AttackSpec, panel: Panel, row: str, seed: int, gold: tuple[str, int]
) -> tuple[np.ndarray, Scored, int] | None:
    images, left_out = panel.forget(seed), {seed, gold[1]}
    out, trained = panel.without(images, left_out), panel.trained(images, left_out)
    untrained = ~np.isin(images, panel.models[gold].trained)
    kept = (out.counts >= FEWEST) & (trained.counts >= FEWEST) & untrained
    if not kept.any():
        return None
    own, theirs = (
        spec.score(_only(_of_pair(panel, key, seed, left_out, out, trained), kept))
        for key in ((row, seed), gold)
    )
    scores = np.full(len(images), np.nan, np.float32)
    scores[kept] = own
    scored = Scored(scores[kept], theirs.astype(np.float32), images[kept], images[kept])
    return scores, scored, int((out.counts + trained.counts)[kept].min())


def _of_pair(
    panel: Panel,
    key: tuple[str, int],
    seed: int,
    left_out: set[int],
    out: References,
    trained: References,
) -> Known:
    model, images = panel.models[key], panel.forget(seed)
    others = panel.population(*key, left_out)
    return Known(model.answers(images), model.labels_of(images), out, trained, others)


def _only(known: Known, kept: np.ndarray) -> Known:
    out, trained = (None if of is None else of.only(kept) for of in (known.out, known.trained))
    return Known(known.logits[kept], known.labels[kept], out, trained, known.population)


def run_attacks(
    specs: Sequence[AttackSpec], panel: Panel
) -> Iterator[tuple[str, AttackSpec, Found]]:
    """Yields row, attack and what was found, for all rows with a sound model."""
    for row in panel.rows:
        for spec in specs:
            if "shadows" not in spec.needs:
                yield row, spec, run_attack(spec, panel, row)
