"""What attacks say that take many models: U-LiRA of shadow models, KLoM of sets of models."""

from collections.abc import Mapping, Sequence

import numpy as np

from lotus.attacks import u_lira
from lotus.attacks.base.answers import confidence
from lotus.attacks.base.klom import FEWEST, klom_of_set
from lotus.attacks.base.panel import Model
from lotus.attacks.base.shadows import attack_each
from lotus.config.power import calibrating_shadows, golds_needed
from lotus.layout import GOLD
from lotus.predictions.predictions_file import Predictions
from lotus.results.power import CALIBRATING, FRESH, GROUPS, TRIED, of_shadows
from lotus.runs.alarms import Alarms, OfGroups, ranked

Groups = Mapping[str, Sequence[Predictions]]
DEALT = 199
"""Times that models are dealt at random, at least."""


def by_shadows(groups: Groups) -> dict[str, Alarms]:
    """U-LiRA on each shadow by the others of its kind; nothing where there are none, or it is undefined.

    A gold of a shadow never had the forget images, so both sides of the attack are alike; a shadow to which
    nothing was done still has them.
    """
    golds = groups[of_shadows(GOLD)]
    if not golds:
        return {}
    found: OfGroups = {}
    for kind in (GOLD, *TRIED):
        found[kind] = _areas([Model.of(said) for said in groups[of_shadows(kind)]])
        if not np.isfinite(found[kind]).all():
            return {}
    of_golds, calibrating = found.pop(GOLD), calibrating_shadows(len(golds))
    values = {CALIBRATING: of_golds[:calibrating], FRESH: of_golds[calibrating:], **found}
    spec = u_lira.SPEC
    return {spec.name: ranked(f"{spec.label} (attack), {len(golds)} shadows", values)}


def _areas(shadows: Sequence[Model]) -> list[float]:
    """AUC of each shadow, attacked with all others; NaN of one that had all images that count, or none."""
    if not shadows:
        return []
    images = np.unique(np.concatenate([shadow.parts["forget"] for shadow in shadows]))
    had = np.stack([np.isin(images, shadow.parts["forget"]) for shadow in shadows])
    logits = np.stack([shadow.answers(images) for shadow in shadows])
    return attack_each(u_lira.score, logits, shadows[0].labels_of(images), had, images).aucs()


def by_sets(groups: Groups, level: float) -> dict[str, Alarms]:
    """KLoM of sets of ten models against the calibrating golds; nothing where a kind has fewer models."""
    golds = groups[CALIBRATING]
    tried = {group: groups[group] for group in GROUPS if groups[group]}
    if min(len(golds), *map(len, tried.values())) < FEWEST:
        return {}
    images = np.sort(groups[GOLD][0]["forget"].indices)
    times = max(DEALT, golds_needed(level))
    retrained = _margins(golds, images)
    values: OfGroups = {CALIBRATING: [], **{group: [] for group in GROUPS}}
    p: OfGroups = {group: [] for group in GROUPS}
    for group, models in tried.items():
        for first in range(0, len(models) - FEWEST + 1, FEWEST):
            margins = _margins(models[first : first + FEWEST], images)
            value, probability = klom_of_set(margins, retrained, times)
            values[group].append(value)
            p[group].append(probability)
    return {"klom": Alarms(f"KLoM, sets of {FEWEST} models", values, p)}


def _margins(models: Sequence[Predictions], images: np.ndarray) -> np.ndarray:
    """Logit-scaled confidence of images; `[models, n]`."""
    asked = [Model.of(said) for said in models]
    return np.stack([confidence(it.answers(images), it.labels_of(images)) for it in asked])
