"""What the present configuration wants of every step: what it reads and writes, with which parameters."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snakemake.utils import update_config

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.images import Dataset
from lotus.config.origins import Origin, read_origin
from lotus.data import sources
from lotus.data.store import FILES, locked_stores
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.layout import GOLD, ORIGINAL
from lotus.plan.contents import Contents, description
from lotus.plan.making import make_plan
from lotus.plan.plan import Plan
from lotus.plan.step import Step
from lotus.records.index import read
from lotus.tables.registry import PAPER_TABLES

DEFAULT_CONFIG = Path("config/fashion-mini.yaml")
EXPERIMENT = layout.RESULTS / "experiment.json"
MODEL_FILES = ("model.safetensors", "predictions.npz")


@dataclass(frozen=True)
class Present:
    """The present configuration.

    Attributes:
        files: that it was read from; none where these are not at hand.
        given: settings besides, as `--config` of Snakemake has them.

    """

    plan: Plan
    files: tuple[Path, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)

    def options(self) -> list[str]:
        """What tells Snakemake of this configuration.

        Raises:
            LotusError: the files are not at hand.

        """
        if not self.files:
            raise LotusError(
                "the configuration files that the results were made by are not here; name them "
                "(--configfile)"
            )
        given = [f"{key}={json.dumps(value)}" for key, value in self.given.items()]
        return ["--configfile", *map(str, self.files), *(["--config", *given] if given else [])]


def present(configfiles: Sequence[Path]) -> Present:
    """The configuration of some files; without any, what the results were made by.

    The files that the experiment's record names are read again, so a change of theirs shows. Where they
    are not at hand, the settings are those that the experiment was described with.

    Raises:
        LotusError: this is no project, or a file is absent or not accepted.

    """
    if not Path("Snakefile").is_file():
        raise LotusError(f"{Path.cwd()}: no project (no Snakefile); run it where the Snakefile is")
    if configfiles:
        return _read(configfiles, {})
    record = read(layout.RECORDS / "experiment.json")
    if not record.problem:
        files = [Path(name) for name in record.settings["files"]]
        if all(path.is_file() for path in files):
            return _read(files, record.settings["given"])
    try:
        settings = parse_json(read_file(EXPERIMENT))["settings"]
        return Present(make_plan(settings, [Origin(str(EXPERIMENT), settings)]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, LotusError):
        # Absent or damaged; the audit says so, by the default configuration.
        return _read([DEFAULT_CONFIG], {})


def _read(files: Sequence[Path], given: Mapping[str, Any]) -> Present:
    origins = [*(read_origin(path) for path in files), Origin("--config", given)]
    content: dict[str, Any] = {}
    for origin in origins:
        update_config(content, origin.content)
    return Present(make_plan(content, origins), tuple(files), given)


def steps(plan: Plan) -> Iterator[Step]:
    """Every step of an experiment, in the order of the data; all that `snakemake` makes by default."""
    contents = Contents(plan)
    yield from _stores(plan)
    yield from _splits(contents)
    yield from _runs(contents)
    yield from _metrics(contents)
    yield from _made(contents)
    yield from _paper(contents)
    yield replace(_step((EXPERIMENT.as_posix(),)), content=description(plan))
    yield _step(("results/report/index.html",))
    yield Step(str(layout.LEDGER), ())


def _step(
    outputs: Sequence[str],
    inputs: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Step:
    """A step whose record lies where that of its first output does."""
    plain = None if settings is None else json.loads(json.dumps(settings))
    read = None if inputs is None else tuple(inputs)
    return Step(str(layout.record_of(Path(outputs[0]))), tuple(outputs), read, plain)


def _stores(plan: Plan) -> Iterator[Step]:
    locked = locked_stores(layout.LOCK)
    datasets = [cell.dataset for cell in plan.cells]
    synthetic = [name for row in plan.settings.methods if (name := plan.calibration_of(row))]
    cached = [dataset for dataset in locked if sources.is_in_repository(dataset)]
    for dataset in dict.fromkeys([*datasets, *synthetic, *cached]):
        other = other_lock(dataset, locked)
        yield _step(
            [f"{layout.STORES / dataset}/{name}" for name in FILES],
            [f"{layout.RAW}/{dataset}.json"],
            {"options": plan.store_of(dataset), **({"locked": other} if other else {})},
        )
    if cached:
        read = [f"{layout.STORES / dataset}/source.json" for dataset in cached]
        yield _step([str(layout.CACHED)], read, {"stores": cached})


def other_lock(dataset: str, locked: Mapping[str, str]) -> str:
    """The digest that `data.dvc` has for a store, where the store's record states another one; else ''.

    So publishing, which locks a store as it is, makes nothing stale.
    """
    record = read(layout.store_record(dataset))
    notes = {} if record.problem else record.content["notes"]
    wanted, stated = locked.get(dataset, ""), notes.get("dvc", "")
    return wanted if stated not in ("", wanted) else ""


def _splits(contents: Contents) -> Iterator[Step]:
    plan = contents.plan
    seeds = [(cell, seed) for cell in contents.measured for seed in plan.seeds_of(cell)]
    for dataset, seed in dict.fromkeys((cell.dataset, seed) for cell, seed in seeds):
        yield _split(dataset, seed, "held-out", {})
    chosen = dict.fromkeys((cell.dataset, seed, cell.scenario) for cell, seed in seeds)
    for dataset, seed, scenario in chosen:
        settings = plan.settings.scenarios[scenario].model_dump(exclude_none=True)
        yield _split(dataset, seed, scenario, settings)


def _split(dataset: str, seed: int, name: str, settings: Mapping[str, Any]) -> Step:
    read = [f"{layout.STORES / dataset}/{file}" for file in ("source.json", "labels.npy")]
    return _step([str(layout.split_file(dataset, seed, name))], read, settings)


def _runs(contents: Contents) -> Iterator[Step]:
    plan, seen = contents.plan, set()
    for cell in contents.measured:
        for seed in plan.seeds_of(cell):
            for row, folder in plan.run_folders(cell, seed).items():
                if folder not in seen:
                    seen.add(folder)
                    yield _run(plan, plan.home(cell, row), seed, row, folder)


def _run(plan: Plan, home: Benchmark, seed: int, row: str, folder: str) -> Step:
    inputs = [f"{layout.STORES / home.dataset}/source.json"]
    inputs.append(str(layout.split_file(home.dataset, seed, "held-out")))
    if row != ORIGINAL:
        inputs.append(str(layout.split_file(home.dataset, seed, home.scenario)))
    there = plan.weights_home(home, row)
    if there is not None:
        inputs.append(f"{layout.run_folder(there, seed, row)}/{MODEL_FILES[0]}")
    if row in (ORIGINAL, GOLD):
        settings = {
            "architecture": plan.architecture(home.dataset, home.architecture),
            "images": Dataset(**plan.use_of(home.dataset, home.architecture)).model_dump(),
            "protocol": home.protocol,
        }
    else:
        original = plan.run_folders(home, seed)[ORIGINAL]
        inputs += [f"{original}/{name}" for name in (MODEL_FILES[0], "run.json")]
        settings = {
            "method": plan.method_of(row),
            "hyperparameters": plan.hyperparameters(home, row),
            "protocol": home.protocol,
        }
        synthetic = plan.calibration_of(row)
        if synthetic is not None:
            settings["calibration"] = synthetic
            inputs.append(f"{layout.STORES / synthetic}/source.json")
    return _step([f"{folder}/{name}" for name in MODEL_FILES], inputs, settings)


def _metrics(contents: Contents) -> Iterator[Step]:
    plan = contents.plan
    for cell in contents.measured:
        for seed in plan.seeds_of(cell):
            folders = plan.run_folders(cell, seed)
            yield _step(
                [str(layout.metrics_file(cell, seed))],
                [f"{folder}/{MODEL_FILES[1]}" for folder in folders.values()],
                {"rows": list(folders)},
            )


def _made(contents: Contents) -> Iterator[Step]:
    """Tables and figures, and the maps and audits that some of them are made of."""
    for made in contents.tables:
        yield _item(made.folder, made.name, (".csv", ".tex"), made.sources)
    for made in contents.figures:
        yield _item(made.folder, made.name, (".svg", ".pdf", ".png"), made.sources)
        if made.kind == "gradcam":
            yield _step(made.sources)
    for cell in contents.cells:
        yield _step(contents.means(cell), contents.metrics([cell]), {})
    for audit in contents.audits(dict.fromkeys(cell.dataset for cell in contents.cells)):
        yield _step([audit, str(Path(audit).with_suffix(".csv"))])


def _paper(contents: Contents) -> Iterator[Step]:
    for name in PAPER_TABLES.specs:
        sources = [EXPERIMENT.as_posix(), *contents.item_sources(name)]
        yield _item("paper", name, (".csv", ".tex"), sources)
    yield _step(["results/claims.json", "results/timings/claims.csv", "results/timings/claims.tex"])


def _item(folder: str, name: str, endings: Sequence[str], sources: Sequence[str]) -> Step:
    return _step([f"results/{folder}/{name}{ending}" for ending in endings], sources, {})
