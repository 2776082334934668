"""Steps that need models: originals, gold models, unlearned ones, what tuning tries, Grad-CAM maps."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lotus import layout, models
from lotus.config.cells import Benchmark
from lotus.config.images import Dataset
from lotus.config.resolved import cells_of_power
from lotus.layout import GOLD, HALF, HELD_OUT, ORIGINAL
from lotus.methods.base.plugins import plugins_for
from lotus.plan.candidates import candidates, trials
from lotus.plan.contents import Contents
from lotus.plan.plan import Plan
from lotus.plan.power import models_of_power, number_of
from lotus.plan.rows import explained_runs
from lotus.plan.shadows import shadow_runs
from lotus.plan.step import Step, expected, subject_of, texts, with_record
from lotus.plugin_files import modules_of

PLACE = ("dataset", "architecture", "scenario")


@dataclass(frozen=True)
class _Run:
    """A model to be made.

    Attributes:
        home: where it is filed.
        by_default: whether the experiment needs it; tuning has originals of its own.
        again, kept, in_train_mode: see `lotus.runs.run.Run`.
        is_shadow: whether it is of a half of the training images.

    """

    home: Benchmark
    seed: int
    row: str
    by_default: bool = True
    again: int = 0
    kept: float = 0.0
    in_train_mode: bool = False
    is_shadow: bool = False

    @cached_property
    def folder(self) -> Path:
        return layout.run_folder(self.home, self.seed, self.row)

    @cached_property
    def subject(self) -> dict[str, str]:
        """Wildcards; all scenarios share the original."""
        subject = subject_of(self.home, self.seed)
        if self.row == ORIGINAL:
            del subject["scenario"]
        return subject

    @property
    def is_gold(self) -> bool:
        """Whether it is retrained without the forget set, or with a part of it."""
        return self.row == GOLD or self.again > 0

    @property
    def options(self) -> dict[str, Any]:
        """Returns what its record states of how it differs from gold."""
        told = {"again": self.again, "kept": self.kept, "in_train_mode": self.in_train_mode}
        return {key: value for key, value in told.items() if value}

    @property
    def labels(self) -> str:
        """Names of the run for its record, as JSON."""
        names = {key: self.subject[key] for key in PLACE if key in self.subject}
        return json.dumps({**names, "row": self.row})

    @property
    def read(self) -> dict[str, Path]:
        """Splits that it reads, and the record of its verified store."""
        dataset = self.home.dataset
        files = {
            "store": layout.store_record(dataset),
            "held_out": layout.split_file(dataset, self.seed, HELD_OUT),
        }
        if self.row == ORIGINAL and self.is_shadow:
            files["half"] = layout.split_file(dataset, self.seed, HALF)
        if self.row != ORIGINAL:
            files["forget_set"] = layout.split_file(dataset, self.seed, self.home.scenario)
        return files


def pretrain_original(contents: Contents) -> Iterator[Step]:
    """Original models, which methods start from; also those that tuning starts from."""
    of_cells = [run for run in _runs(contents) if run.row == ORIGINAL]
    of_tuning = [
        _Run(cell, seed, ORIGINAL, by_default=False) for cell, seed, _ in trials(contents.plan)
    ]
    by_folder = {run.folder: run for run in (*of_tuning, *of_cells)}
    return _trained("pretrain_original", contents.plan, by_folder.values())


def retrain_gold(contents: Contents) -> Iterator[Step]:
    """Gold models, trained without the forget set, and the further golds of the same images."""
    runs = {run.folder: run for run in _runs(contents) if run.is_gold}
    for of_power in _runs_of_power(contents.plan):
        runs.setdefault(of_power.folder, of_power)
    return _trained("retrain_gold", contents.plan, runs.values())


def _runs_of_power(plan: Plan) -> list[_Run]:
    """Models by which measures are tried, but for the seed's own gold."""
    return [
        _Run(plan.home(cell, GOLD), seed, row, False, **options)
        for cell in cells_of_power(plan.settings)
        for seed, row, options in models_of_power(plan, cell)
    ]


def _trained(kind: str, plan: Plan, runs: Iterable[_Run]) -> Iterator[Step]:
    architecture_of, use_of = cache(plan.architecture), cache(plan.use_of)
    for run in runs:
        home = run.home
        architecture = architecture_of(home.dataset, home.architecture)
        if run.row != ORIGINAL or run.is_shadow:
            # So that another checkpoint asks for no other gold.
            architecture = {**architecture, "checkpoint": None}
        use = use_of(home.dataset, home.architecture)
        weights, weights_option = _weights(plan, run)
        outputs = texts(layout.run_files(run.folder))
        settings: dict[str, Any] = {
            "architecture": architecture,
            "images": Dataset(**use).model_dump(),
            "protocol": home.protocol,
        }
        settings |= run.options
        apart = plan.settings.apart(run.seed)
        settings |= {"seeds_apart": apart} if apart else {}
        yield Step(
            kind,
            {**run.subject, "row": run.row} if run.is_gold else run.subject,
            inputs={**texts(run.read), "weights": weights},
            outputs=outputs,
            told={
                "store": str(layout.STORES / home.dataset),
                "out": run.folder.as_posix(),
                "architecture": json.dumps(architecture),
                "images": json.dumps(use),
                "labels": run.labels,
                "again": [
                    *(["--again", str(run.again)] if run.again else []),
                    *(["--kept", str(run.kept)] if run.kept else []),
                    *(["--in-train-mode"] if run.in_train_mode else []),
                ],
                "apart": _apart(apart),
                "weights": weights_option,
            },
            modules=("lotus.runs.train", *_architecture_modules(plan, home)),
            records=expected(outputs, [*_recorded(run), *weights[:1]], settings),
            by_default=run.by_default,
        )


def unlearn(contents: Contents) -> Iterator[Step]:
    """Every method on every original model."""
    plan = contents.plan
    hyperparameters_of = cache(plan.hyperparameters)
    for run in _runs(contents):
        if run.row == ORIGINAL or run.is_gold:
            continue
        home, row = run.home, run.row
        method, hyperparameters = plan.method_of(row), hyperparameters_of(home, row)
        original = layout.run_folder(plan.home(home, ORIGINAL), run.seed, ORIGINAL)
        of_original = layout.run_files(original)
        weights, weights_option = _weights(plan, run)
        synthetic = plan.calibration_of(row)
        outputs = texts(layout.run_files(run.folder))
        settings: dict[str, Any] = {
            "method": method,
            "hyperparameters": hyperparameters,
            "protocol": home.protocol,
        }
        apart = plan.settings.apart(run.seed)
        settings |= {"seeds_apart": apart} if apart else {}
        read = [*_recorded(run), *weights[:1]]
        read += [str(of_original["model"]), str(of_original["record"])]
        calibration: list[str] = []
        if synthetic is not None:
            settings["calibration"] = synthetic
            calibration = [str(layout.store_record(synthetic))]
            read.append(str(layout.store_files(synthetic)["source"]))
        yield Step(
            "unlearn",
            {**run.subject, "row": row},
            inputs={
                **texts(run.read),
                "original": str(of_original["model"]),
                "record": str(of_original["record"]),
                "weights": weights,
                "calibration": calibration,
            },
            outputs=outputs,
            told={
                "method": method,
                "hyperparameters": [
                    word
                    for key, value in hyperparameters.items()
                    for word in ("--set", f"{key}={json.dumps(value)}")
                ],
                "store": str(layout.STORES / home.dataset),
                "original": original.as_posix(),
                "out": run.folder.as_posix(),
                "labels": run.labels,
                "apart": _apart(apart),
                "weights": weights_option,
                "calibration": ["--calibration", str(layout.STORES / synthetic)]
                if synthetic
                else [],
                "plugins": _plugins(plan, row),
                "network": _network(plan, home),
            },
            modules=("lotus.runs.unlearn", *_method_modules(plan, home, row)),
            records=expected(outputs, read, settings),
        )


def explain_forget_set(contents: Contents) -> Iterator[Step]:
    """Grad-CAM maps, of which figures are drawn: one seed, some models."""
    plan = contents.plan
    for made in contents.figures:
        if made.kind != "gradcam":
            continue
        cell = Benchmark(**made.about)
        seed = plan.seeds_of(cell)[0]
        rows = {row: Path(folder) for row, folder in explained_runs(plan, cell, seed).items()}
        files = [layout.run_files(folder) for folder in rows.values()]
        outputs = with_record({"maps": layout.gradcam_file(cell, seed)})
        yield Step(
            "explain_forget_set",
            subject_of(cell, seed),
            inputs={
                "store": str(layout.store_record(cell.dataset)),
                "forget_set": str(layout.split_file(cell.dataset, seed, cell.scenario)),
                "runs": [str(of[name]) for of in files for name in ("model", "record")],
            },
            outputs=outputs,
            told={
                "store": str(layout.STORES / cell.dataset),
                "runs": [
                    word
                    for row, folder in rows.items()
                    for word in ("--of", row, folder.as_posix())
                ],
                "labels": json.dumps({**cell.labels, "seed": seed}),
                "network": _network(plan, cell),
            },
            modules=("lotus.runs.gradcam", *_architecture_modules(plan, cell)),
            records=expected(outputs),
        )


def try_candidates(contents: Contents) -> Iterator[Step]:
    """Trials of tuning: every row with a space, in every benchmark, on every tuning seed."""
    plan = contents.plan
    tried = trials(plan)
    # The same on every tuning seed.
    given = {of: _candidates(plan, *of) for of in {(cell, row) for cell, _, row in tried}}
    for cell, seed, row in tried:
        run = _Run(cell, seed, row)
        subject = {key: name for key, name in run.subject.items() if key != "protocol"}
        original = layout.run_folder(cell, seed, ORIGINAL)
        of_original = layout.run_files(original)
        yield Step(
            "try_candidates",
            {**subject, "row": row},
            inputs={
                **texts(run.read),
                "original": [str(of_original["model"]), str(of_original["record"])],
            },
            outputs=texts({"record": layout.trials_file(cell, seed, row)}),
            told={
                "method": plan.method_of(row),
                "candidates": given[cell, row],
                "store": str(layout.STORES / cell.dataset),
                "original": original.as_posix(),
                "labels": run.labels,
                "plugins": _plugins(plan, row),
                "network": _network(plan, cell),
            },
            modules=("lotus.runs.tuning", *_method_modules(plan, cell, row)),
            by_default=False,
        )


def _candidates(plan: Plan, cell: Benchmark, row: str) -> list[str]:
    """Words that tell the candidates of a row."""
    given = candidates(plan, cell, row)
    return [word for one in given for word in ("--candidate", json.dumps(one))]


def tune(contents: Contents) -> Iterator[Step]:
    """The choice among what was tried."""
    tried = [str(layout.trials_file(*of)) for of in trials(contents.plan)]
    if tried:
        yield Step(
            "tune",
            {},
            inputs={"trials": tried},
            outputs=with_record({"overrides": layout.OVERRIDES}),
            told={},
            modules=("lotus.runs.tuning",),
            by_default=False,
        )


def _runs(contents: Contents) -> list[_Run]:
    """Every model of the experiment, each once."""
    plan = contents.plan
    measured = [
        _Run(plan.home(cell, row), seed, row, again=number_of(row))
        for cell in contents.measured
        for seed in plan.seeds_of(cell)
        for row in plan.run_folders(cell, seed)
    ]
    runs = {run.folder: run for run in measured}
    # Weights may be those of a run that is not measured itself with this seed.
    for there in filter(None, [_taken_from(plan, run) for run in runs.values()]):
        original = replace(there, home=plan.home(there.home, ORIGINAL), row=ORIGINAL)
        for run in (original, there):
            runs.setdefault(run.folder, run)
    of_shadows = [_Run(*run, is_shadow=True) for run in shadow_runs(plan)]
    return [*runs.values(), *{run.folder: run for run in of_shadows}.values()]


def _taken_from(plan: Plan, run: _Run) -> _Run | None:
    """Another run with the same weights, which are taken over."""
    if run.in_train_mode:
        row = f"{layout.KEPT_ALL}-{number_of(run.row)}"
        return replace(run, row=row, in_train_mode=False)
    if run.kept:
        return None
    home, cells = run.home, [run.home]
    if run.row == ORIGINAL:
        # The original is shared by the scenarios: any of them tells what is planned.
        place = (home.dataset, home.architecture)
        cells = [cell for cell in plan.cells if (cell.dataset, cell.architecture) == place]
    found = (plan.weights_home(cell.under(home.protocol), run.row) for cell in cells)
    there = next(filter(None, found), None)
    return None if there is None else replace(run, home=there)


def _weights(plan: Plan, run: _Run) -> tuple[list[str], list[str]]:
    """Model and record of the run whose weights are taken over, and the option that names it, if any."""
    there = _taken_from(plan, run)
    if there is None:
        return [], []
    files = layout.run_files(there.folder)
    return [str(files["model"]), str(files["record"])], ["--weights-of", there.folder.as_posix()]


def _recorded(run: _Run) -> list[str]:
    """Returns the inputs that a run's record states; for a store, the file that names its digests."""
    source = layout.store_files(run.home.dataset)["source"]
    return [str(source), *(str(path) for name, path in run.read.items() if name != "store")]


def _apart(apart: Mapping[str, int]) -> list[str]:
    return ["--seeds-apart", json.dumps(apart)] if apart else []


def _architecture_modules(plan: Plan, cell: Benchmark) -> tuple[str, ...]:
    return models.modules_of(plan.settings.architectures[cell.architecture])


def _network(plan: Plan, cell: Benchmark) -> list[str]:
    """The option that allows the code of a network of the user's; records alone allow none."""
    architecture = plan.settings.architectures[cell.architecture]
    return ["--network", architecture.file] if architecture.model == "plugin" else []


def _method_modules(plan: Plan, cell: Benchmark, row: str) -> tuple[str, ...]:
    """Modules of a row's method, of its network, and of the plug-ins that are loaded for it.

    Other methods are no part of its code.
    """
    method = plan.method_of(row)
    own = (plan.methods.module_of(method), *_architecture_modules(plan, cell))
    loaded = modules_of(plugins_for(method, plan.settings.plugins))
    return tuple(dict.fromkeys((*own, *loaded)))


def _plugins(plan: Plan, row: str) -> list[str]:
    loaded = plugins_for(plan.method_of(row), plan.settings.plugins)
    return [word for plugin in loaded for word in ("--plugin", plugin)]
