"""`lotus restore --figures` at the size of the paper's grid.

    python benchmarks/restore_figures.py FOLDER            # build; some minutes
    python benchmarks/restore_figures.py FOLDER --measure  # as often as wanted

Builds FOLDER/made, a published project with every run that config/paper.yaml names, and FOLDER/remote, its
DVC remote. A run is that of the quick check (config/digits.yaml, made in the present folder or in
--digits) that it is most like, with a little noise: no two are the same bytes. All that is made of
predictions is made by the real commands, and `lotus publish` publishes it. Predictions are as small as the
digits', some 100 kB; models are stubs, which nobody reads here.

Measures in a fresh clone, then once more where the predictions lie there already: the difference is the
pull. Says whether all outputs are byte for byte those of the published records.
"""

import argparse
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.cli.main import main as lotus_main
from lotus.config.origins import read_origin
from lotus.data.store import locked_stores
from lotus.layout import record_of
from lotus.plan.contents import Contents, PlannedItem
from lotus.plan.making import make_plan
from lotus.plan.plan import Plan
from lotus.plan.step import ExpectedRecord
from lotus.plan.steps import expected_records
from lotus.predictions import predictions_file
from lotus.records.record import write_record
from lotus.tables.registry import PAPER_TABLES

ROOT = Path(__file__).resolve().parents[1]
CONFIG = "config/paper.yaml"
EXPERIMENT = str(layout.EXPERIMENT)
IMITATED = ("store", "held-out", "forget-set", "audit", "original", "gold", "unlearned", "gradcam")
AUTHOR = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")

Command = Sequence[str]


def build(folder: Path, digits: Path) -> None:
    call("git", "clone", "--quiet", str(ROOT), str(folder / "made"))
    os.chdir(folder / "made")
    origin = read_origin(Path(CONFIG))
    plan = make_plan(origin.content, [origin])
    for dataset in locked_stores(layout.LOCK):
        take_over(dataset, digits)
    imitate(plan, digits)
    for commands in made_of_predictions(plan):
        print(f"{len(commands):5} × lotus {commands[0][0]}, …", flush=True)
        in_forks(commands)
    call(*dvc("remote", "add", "--quiet", "--default", "folder", str(folder / "remote")))
    call(*LOTUS, "publish")
    call("git", "add", ".dvc/config")
    call("git", *AUTHOR, "commit", "--quiet", "--message", "Results")


def take_over(dataset: str, digits: Path) -> None:
    """A store of the repository, which is published too."""
    shutil.copytree(digits / layout.STORES / dataset, layout.STORES / dataset)
    for file in (layout.RAW / f"{dataset}.json", layout.store_record(dataset)):
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(digits / file, file)


@dataclass(frozen=True)
class Twin:
    """The like step of the quick check.

    Attributes:
        record: its content.
        names: part of a path there → part here, as `seed13` → `seed12`.

    """

    record: dict[str, Any]
    names: dict[str, str]


def imitate(plan: Plan, digits: Path) -> None:
    """Stores, splits, runs, maps and audits of the plan, and records that state them."""
    found = ((step, twin_of(step, plan, digits)) for step in expected_records(plan))
    pairs = [(step, twin) for step, twin in found if twin is not None]
    for step, twin in pairs:
        for path, source in zip(step.outputs, twin.record["outputs"], strict=True):
            imitate_file(Path(path), digits / source)
    for step, twin in pairs:
        imitate_record(step, twin, digits)


def twin_of(step: ExpectedRecord, plan: Plan, digits: Path) -> Twin | None:
    """None for what is of no data set of the plan, or made by its own command here."""
    here = Path(step.path).with_suffix("").parts
    if set(plan.settings.datasets).isdisjoint(here):
        return None
    known = twins_of_names(plan)
    there = [known.get(part, part) for part in here]
    is_shared = {layout.ORIGINAL, layout.GOLD} & set(here)
    for place, part in enumerate(here):
        if part.startswith(("corrected", "released")):
            plain = is_shared or part.startswith("corrected")
            there[place] = "corrected" if plain else "released-e1"
    path = digits.joinpath(*there).with_suffix(".json")
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"kind": ""}
    names = dict(zip(there, here, strict=True))
    return Twin(record, names) if record["kind"] in IMITATED else None


def twins_of_names(plan: Plan) -> dict[str, str]:
    """Part of a path here → part there."""
    settings = plan.settings
    return {
        **dict.fromkeys(settings.datasets, "digits"),
        **dict.fromkeys(settings.architectures, "resnet18"),
        **{f"seed{seed}": "seed3407" if seed == 3407 else "seed13" for seed in settings.seeds},
        **{
            name: "instance-10" if scenario.forget_class is None else "class-three"
            for name, scenario in settings.scenarios.items()
        },
        **{row: plan.method_of(row) for row in settings.methods},
    }


def imitate_file(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == "predictions.npz":
        rng = np.random.default_rng(zlib.crc32(path.as_posix().encode()))
        said = {
            name: predictions_file.Split(with_noise(split.logits, rng), split.labels, split.indices)
            for name, split in predictions_file.load(source).items()
        }
        predictions_file.save(path, said, predictions_file.why_collapsed(source))
    elif path.name == "model.safetensors":
        path.write_text(f"stub of {path}\n", encoding="utf-8")
    else:
        shutil.copyfile(source, path)


def with_noise(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (logits * (1 + 0.05 * rng.standard_normal(logits.shape))).astype(np.float32)


def imitate_record(step: ExpectedRecord, twin: Twin, digits: Path) -> None:
    """As the step itself would have written it; raw files are listed as those of the digits."""
    record, inputs = twin.record, step.inputs or twin.record["inputs"]
    for path in map(Path, inputs):
        if path.parent == layout.RAW:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(digits / layout.RAW / "digits.json", path)
    about = {key: twin.names.get(str(value), value) for key, value in record["about"].items()}
    if seed := twin.names.get(f"seed{about.get('seed')}"):
        about["seed"] = int(seed.removeprefix("seed"))
    notes = dict(record["notes"])
    if record["kind"] == "store":
        notes["source"] = {**notes["source"], **about}
    sys.argv = shlex.split(record["command"])
    write_record(
        Path(step.path),
        kind=record["kind"],
        modules=record["code"]["entry"],
        about=about,
        settings=record["settings"] if step.settings is None else step.settings,
        inputs=[Path(path) for path in inputs if Path(path).is_file()],
        outputs=[Path(path) for path in step.outputs],
        seconds={key: value for key, value in record["time"].items() if key != "started"},
        hardware=record["hardware"],
        notes=notes,
    )


def made_of_predictions(plan: Plan) -> Iterator[list[Command]]:
    """What the workflow runs right of the runs; commands of one list do not read each other's files."""
    contents = Contents(plan)
    settings = json.dumps(plan.settings.model_dump(mode="json"))
    origins = json.dumps({"files": [CONFIG], "given": {}})
    described = ("--config", settings, "--origins", origins, "--out", EXPERIMENT)
    yield [recorded(EXPERIMENT, "describe", *described), *metrics(contents)]
    means = ("--out", str(layout.MEANS), "--records", str(layout.RECORDS / "metrics"))
    claims = ("--out", "results/claims.json", "--table", "results/timings/claims")
    yield [
        recorded("results/claims.json", "claims", "--experiment", EXPERIMENT, *claims),
        ("means", *contents.metrics(contents.cells), *means),
        *(item(made, "figure", "svg") for made in contents.figures),
        *(item(made, "table", "csv") for made in contents.tables),
        *map(exhibit, PAPER_TABLES.specs),
    ]
    page, template = "results/report/index.html", "report/page/index.html.j2"
    made_page = ("--template", template, "--out", page)
    yield [recorded(page, "report", "--experiment", EXPERIMENT, *made_page)]
    yield [("seal", "--out", str(layout.LEDGER))]


def metrics(contents: Contents) -> Iterator[Command]:
    for cell in contents.measured:
        for seed in contents.plan.seeds_of(cell):
            folders = contents.plan.run_folders(cell, seed)
            said = ((row, f"{folder}/predictions.npz") for row, folder in folders.items())
            rows = (part for pair in said for part in ("--of", *pair))
            named = ("--seed", str(seed), "--labels", json.dumps(cell.labels))
            out = layout.metrics_file(cell, seed).as_posix()
            yield recorded(out, "evaluate", *rows, *named, "--out", out)


def item(made: PlannedItem, form: str, ending: str) -> Command:
    out = f"results/{made.folder}/{made.name}"
    return recorded(f"{out}.{ending}", form, made.kind, *made.sources, "--out", out)


def exhibit(name: str) -> Command:
    out = f"results/paper/{name}"
    return recorded(f"{out}.csv", "exhibit", name, "--experiment", EXPERIMENT, "--out", out)


def recorded(output: str, *command: str) -> Command:
    return (*command, "--record", str(record_of(Path(output))))


def in_forks(commands: Sequence[Command]) -> None:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        list(pool.map(lotus, commands))


def lotus(arguments: Command) -> None:
    sys.argv = ["lotus", *arguments]
    lotus_main(list(arguments), standalone_mode=False)


LOTUS = (str(Path(sys.executable).with_name("lotus")),)


def dvc(*arguments: str) -> Command:
    return (sys.executable, "-m", "dvc", *arguments)


def call(*command: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def measure(folder: Path) -> None:
    clone = folder / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    call("git", "clone", "--quiet", str(folder / "made"), str(clone))
    os.chdir(clone)
    whole, processor = timed(*LOTUS, "restore", "--figures")
    again, _ = timed(*LOTUS, "restore", "--figures")
    print(f"lotus restore --figures   {whole:6.1f} s, {processor:.1f} s of processors")
    print(f"with predictions there    {again:6.1f} s; so the pull takes {whole - again:.1f} s")
    changes = subprocess.run(["git", "status", "--short"], capture_output=True, text=True).stdout
    print(f"git sees changes:\n{changes}" if changes else "no file differs from what is published")


def timed(*command: str) -> tuple[float, float]:
    """Seconds of a process, and of the processors for it and its children; it must end well."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    call(*command)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--digits", type=Path, default=Path(), help="Where the quick check was run."
    )
    parser.add_argument("--measure", action="store_true")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.measure:
        measure(folder)
    else:
        build(folder, given.digits.resolve())


if __name__ == "__main__":
    main()
