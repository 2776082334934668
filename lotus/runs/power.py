"""Measures and attacks tried on models whose truth is known: golds, doing nothing, faked forgetting."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.attacks.base import registry as attack_registry
from lotus.attacks.base.panel import Model, Panel
from lotus.attacks.base.run_attacks import run_attack
from lotus.config.power import calibrating_shadows, golds_needed
from lotus.config.protocol import CORRECTED, Protocol
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.base import registry
from lotus.metrics.base.scoring import score_all
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Predictions
from lotus.records.files import write_json
from lotus.records.record import write_record
from lotus.results.conventions import StatedRuns
from lotus.results.power import ABOUT, CALIBRATING, FRESH, GROUPS, has_train_mode, of_shadows
from lotus.runs.alarms import Alarms, OfGroups, ranked
from lotus.runs.faked import looked_up, tempered
from lotus.runs.power_of_many import Groups, by_sets, by_shadows
from lotus.runs.run import derive_seed
from lotus.wording import counted

WITHOUT, WITH = "without", "with"
"""Groups of the reference models of attacks: trained without the forget set, and with it."""
TRAIN_MODE = "train_mode"
GIVEN = (ORIGINAL, GOLD, WITHOUT, CALIBRATING, FRESH, WITH, "nothing", "half", TRAIN_MODE)
"""Groups of models that are asked for; of `nothing` the fakes are made."""
SHADOWS = tuple(map(of_shadows, (GOLD, "nothing", "half", TRAIN_MODE)))
"""Groups of shadow models, in the order of the shadows; all of them or none."""


def measure_power(
    given: Iterable[tuple[str, Path]],
    seed: int,
    level: float,
    labels: Mapping[str, Any],
    out: Path,
    record: Path,
    protocol: Protocol = CORRECTED,
) -> None:
    """Writes what every measure and attack says of every model, and the record.

    Args:
        given: group and predictions of each model; one original and one gold.
        seed: of the splits, and of what is drawn at random.
        level: share of golds that may raise an alarm.
        labels: data set, architecture and scenario.
        protocol: in whose conventions the models were asked, and measures are stated.

    Raises:
        LotusError: a group is unknown, absent or too small for the level, or a model was asked about other
            images than the rest.

    """
    files = list(given)
    _check_groups([group for group, _ in files], level, protocol)
    groups: dict[str, list[Predictions]] = {group: [] for group in (*GIVEN, *SHADOWS)}
    for group, path in files:
        groups[group].append(predictions_file.load(path))
    every = {**groups, **_faked(groups["nothing"], seed, "lookup")}
    of_fakes = _faked(groups[of_shadows("nothing")], seed, of_shadows("lookup"))
    every |= {of_shadows(kind): models for kind, models in of_fakes.items()}
    said = {
        **_by_metrics(every, seed, protocol),
        **_by_attacks(every),
        **by_shadows(every),
        **by_sets(every, level),
    }
    about = {key: str(labels.get(key, "")) for key in ABOUT} | {"protocol": protocol.name}
    content = {
        "about": about,
        "seed": seed,
        "level": level,
        "measures": {
            name: {"label": it.label, "values": it.values, "p": it.p} for name, it in said.items()
        },
    }
    write_json(out, content)
    write_record(
        record,
        kind="power",
        modules=[__name__],
        about={**about, "seed": seed},
        settings={
            "of": [group for group, _ in files],
            "level": level,
            "protocol": protocol.name,
        },
        inputs=[path for _, path in files],
        outputs=[out],
    )


def _faked(models: Sequence[Predictions], seed: int, purpose: str) -> dict[str, list[Predictions]]:
    """Fakes of models to which nothing was done, by how they are faked."""
    return {
        "lookup": [
            looked_up(said, derive_seed(seed, f"{purpose}/{place}"))
            for place, said in enumerate(models)
        ],
        "temperature": [tempered(said) for said in models],
    }


def _check_groups(given: Sequence[str], level: float, protocol: Protocol) -> None:
    accepted = (*GIVEN, *SHADOWS)
    for group in given:
        if group not in accepted:
            raise LotusError(f"--of: group '{group}' is unknown; accepted: {', '.join(accepted)}")
    for group in GIVEN:
        count = given.count(group)
        if group in (ORIGINAL, GOLD) and count != 1:
            raise LotusError(f"--of: needs one model '{group}', not {count}")
        if not count and (group != TRAIN_MODE or has_train_mode(protocol)):
            raise LotusError(f"--of: needs models of the group '{group}'")
    needed = golds_needed(level)
    if given.count(CALIBRATING) < needed:
        raise LotusError(
            f"--level: {level:g} cannot be reached with {counted(given.count(CALIBRATING), 'gold')} that "
            f"{'calibrates' if given.count(CALIBRATING) == 1 else 'calibrate'}; it takes at least {needed}"
        )
    _check_shadows({group: given.count(group) for group in SHADOWS}, needed, protocol)


def _check_shadows(counts: Mapping[str, int], needed: int, protocol: Protocol) -> None:
    """Refuses shadows of which one kind has others than the rest, or too few for the level.

    Args:
        needed: golds that have to calibrate.

    """
    shadows = counts[of_shadows(GOLD)]
    for group, count in counts.items():
        is_left_out = group == of_shadows(TRAIN_MODE) and not has_train_mode(protocol)
        if count != shadows and not (is_left_out and not count):
            raise LotusError(
                f"--of: the group '{group}' has {counted(count, 'model')}, '{of_shadows(GOLD)}' {shadows}; "
                "each has one of every shadow"
            )
    if shadows and calibrating_shadows(shadows) < needed:
        raise LotusError(
            f"--of: by {counted(shadows, 'shadow')} the level cannot be reached: half of the pairs are to "
            f"calibrate, and it takes {needed} models for that"
        )


def _by_metrics(groups: Groups, seed: int, protocol: Protocol) -> dict[str, Alarms]:
    """Metric → the number of each model: itself where low is good, else its distance to gold.

    Each in the form that the protocol gives it.
    """
    judged = {
        f"{group}-{place}": (group, said)
        for group in (CALIBRATING, *GROUPS)
        for place, said in enumerate(groups[group])
    }
    original, gold = groups[ORIGINAL][0], groups[GOLD][0]
    asked = {name: said for name, (_, said) in judged.items()}
    scores = pd.DataFrame.from_dict(score_all(original, gold, asked, seed), orient="index")
    numbers = scores[[*registry.columns()]].astype(float)
    frame = numbers.rename_axis("row").reset_index().assign(seed=seed)
    runs = StatedRuns(frame, protocol)
    found: dict[str, Alarms] = {}
    for name, spec in registry.specs().items():
        is_distance = spec.best == "gold"
        stated = runs.distances(name) if is_distance else runs.values(name)
        of_row = dict(zip(frame["row"], stated, strict=True))
        label = spec.label + (", as released" if runs.form(name).is_released else "")
        label += ", distance to gold" if is_distance else ""
        _keep(found, name, label, {row: group for row, (group, _) in judged.items()}, of_row.get)
    return found


def _by_attacks(groups: Groups) -> dict[str, Alarms]:
    """Attack → its AUC on each model; reference models are no others'."""
    references: dict[tuple[str, int], Model] = {(GOLD, 0): Model.of(groups[GOLD][0])}
    references |= {(GOLD, n): Model.of(said) for n, said in enumerate(groups[WITHOUT], 1)}
    references |= {
        (ORIGINAL, n): _trained_on_all(Model.of(said)) for n, said in enumerate(groups[WITH], 1)
    }
    panel = Panel(references)
    images = np.unique(
        np.concatenate([of(0) for of in (panel.forget, panel.validation, panel.test)])
    )
    slim = {key: model.only(images) for key, model in references.items()}
    judged = {
        f"{group}-{place}": (group, Model.of(said).only(images))
        for group in (CALIBRATING, *GROUPS)
        for place, said in enumerate(groups[group])
    }
    found: dict[str, Alarms] = {}
    # What takes shadow models is tried on these (`by_shadows`): other models were not trained on a half.
    ordinary = [it for it in attack_registry.specs().values() if "shadows" not in it.needs]
    for spec in ordinary:

        def of(row: str, spec: Any = spec) -> float | None:
            attacked = run_attack(spec, Panel({(row, 0): judged[row][1], **slim}), row)
            return attacked.seeds[0].auc if 0 in attacked.seeds else None

        groups_of = {row: group for row, (group, _) in judged.items()}
        _keep(found, spec.name, f"{spec.label} (attack)", groups_of, of)
    return found


def _trained_on_all(model: Model) -> Model:
    """The model as one of the forget set: it was trained on it, though its splits say retain set."""
    return replace(model, trained=np.union1d(model.parts["retain"], model.parts["forget"]))


def _keep(
    found: dict[str, Alarms],
    name: str,
    label: str,
    groups_of: Mapping[str, str],
    of: Callable[[str], float | None],
) -> None:
    """Adds a measure, unless it is undefined for one of the models."""
    values = {row: of(row) for row in groups_of}
    if any(value is None or not np.isfinite(value) for value in values.values()):
        return
    of_groups: OfGroups = {group: [] for group in (CALIBRATING, *GROUPS)}
    for row, value in values.items():
        assert value is not None
        of_groups[groups_of[row]].append(float(value))
    found[name] = ranked(label, of_groups)
