"""The paper's grid, and many times it, from the plan to the page, with everything but the work of networks.

    python benchmarks/rehearsal.py FOLDER [--times 1] [--share .01] [--full-models] [--json FILE]

A clone of the last commit gets `instant.py` in place of training, methods and inference, and runs the grid
of `config/paper.yaml`, with so many times its seeds, through the real Snakemake; then plans again, audits,
and tracks with DVC. Each stage's processor seconds (its own and its children's), memory and files are
measured; of the run also how Snakemake's own seconds grow with the jobs that are done. What jobs compute
is not among them: they are forked from another process. Time by the clock says little of other machines.

A rehearsal that was broken off goes on: the same command adds to what FOLDER has. Given more than one
number of times that FOLDER has, the exponents say what grows faster than linear (1 is linear).
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

import instant
import yaml
from child import of_a_clone
from growth import MIB, exponent, peak
from plan import CONFIG, more_seeds
from problem import resnet18

from lotus import models
from lotus.config.architectures import ARCHITECTURE
from lotus.records.files import write_json

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
DONE = re.compile(rb"^(\d+) of (\d+) steps", re.MULTILINE)
EVERY = 5.0
"""Seconds between two looks at a process."""
POINTS = 20
"""Of the looks about so many are kept."""

PER_CLASS = {
    "cifar10": (32, 10, {"train": 5_000, "test": 1_000}),
    "cifar100": (32, 100, {"train": 500, "test": 100}),
    "tiny-imagenet": (64, 200, {"train": 500, "test": 50}),
    "mufac-clean": (128, 8, {"train": 822, "val": 151, "test": 140}),
    "imagenet1k": (256, 1_000, {"train": 50, "test": 50}),
    "cifake": (32, 10, {"test": 1_000}),
}
"""Pixels of a side, classes, and images of a class by part, as published (MUFAC: their mean)."""

AT_LEAST = {"mufac-clean": 200}
"""Training images of a class that its scenario needs: 1,062 in all are forgotten; of the others 10."""

LOTUS = (sys.executable, "-m", "lotus")
"""By the code of the folder that it is called in."""

STAGES = {
    "plan": ["snakemake", "--dry-run", "--quiet", "rules"],
    "run": ["snakemake", "--rerun-incomplete"],
    "nothing to do": ["snakemake", "--dry-run", "--quiet", "rules"],
    "first audit": [*LOTUS, "audit"],
    "second audit": [*LOTUS, "audit"],
    "publish": [*LOTUS, "publish"],
}


def rehearse(place: Path, times: int, share: float, full_models: bool, cores: int) -> None:
    """Carries out what a folder has not yet of a rehearsal, and writes what each stage took as it ends."""
    project = place / "project"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        _prepare(project, times, share, full_models)
        (place / "ready").touch()
    for stage, command in STAGES.items():
        if stage in _finished(place):
            continue
        of_stage = ["--configfile", "config/rehearsal.yaml"] if stage != "publish" else []
        at_once = ["--cores", str(cores)] if command[0] == "snakemake" else []
        print(f"{times} × the grid: {stage} …", flush=True)
        took = _watched([*command, *at_once, *of_stage], project, place / "said.log")
        with (place / "pieces.jsonl").open("a") as file:
            file.write(json.dumps({"stage": stage} | took) + "\n")
        if took["code"]:
            said = (place / "said.log").read_text()[-2000:]
            sys.exit(f"{project}: {' '.join(command)} ends with {took['code']}:\n{said}")
        if stage == "run":
            write_json(place / "disk.json", _disk(project))


def _prepare(project: Path, times: int, share: float, full_models: bool) -> None:
    """Clones the project, and puts made-up work and the configuration in."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
    shutil.copy(ROOT / "benchmarks/instant.py", project / "lotus")
    for module, lines in instant.HOOKS.items():
        with (project / module).open("a") as file:
            file.write("\n".join(["", "", "from lotus import instant", "", *lines, ""]))
    config = yaml.safe_load((project / CONFIG).read_text())
    _put_small_networks(config["architectures"])
    config["seeds"] = more_seeds(config["seeds"], times)
    (project / "config/rehearsal.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    stated = {
        "images": {name: _fewer(name, share) for name in PER_CLASS},
        "model_bytes": _bytes_of_models() if full_models else {},
    }
    write_json(project / "lotus/instant.json", stated)
    who = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.org"]
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "Rehearsal"], cwd=project, check=True)


def _put_small_networks(architectures: dict[str, Any]) -> None:
    """Replaces the networks by small ones that keep their recipes; nothing is asked of them."""
    small = {
        "resnet18": {"model": "resnet18", "width": 8},
        "vit": {"model": "vit", "patch_size": 16, "embed_dim": 8, "depth": 1, "num_heads": 2},
    }
    for name, declared in architectures.items():
        network = small["resnet18" if name == "resnet18" else "vit"]
        # Weights that are taken as they come are trained here for an epoch, since there are none to take.
        epochs = max(1, declared["training"]["epochs"])
        architectures[name] = network | {"training": declared["training"] | {"epochs": epochs}}


def _fewer(name: str, share: float) -> dict[str, Any]:
    side, classes, parts = PER_CLASS[name]
    # Held-out images are halved within each class; of ImageNet's many classes fewer stand for all.
    kept = max(20, round(classes * share)) if name == "imagenet1k" else classes
    least = {"train": AT_LEAST.get(name, 10)}
    fewer = {part: max(least.get(part, 2), round(n * share)) for part, n in parts.items()}
    return {"side": side, "classes": kept, "parts": fewer}


@cache
def _bytes_of_models() -> dict[str, int]:
    """Returns how large the paper's networks' weights are, by their names in the grid."""
    described = {"model": "vit-b16", "weights": None, "training": {}}
    vit = ARCHITECTURE.validate_python(described)
    built = {
        "resnet18": models.build(resnet18(64), (3, 32, 32), 100, 0),
        "vit": models.build(vit, (3, 224, 224), 100, 0),
        "vit-imagenet": models.build(vit, (3, 224, 224), 1_000, 0),
    }
    return {
        name: sum(value.numel() * value.element_size() for value in model.state_dict().values())
        for name, model in built.items()
    }


def _watched(command: Sequence[str], folder: Path, said: Path) -> dict[str, Any]:
    """Runs a command to its end, or ends it if this process is asked to end; returns what it took."""
    start, stopped = perf_counter(), Event()
    with said.open("wb") as file:
        started = subprocess.Popen(
            command, cwd=folder, env=of_a_clone(), stdout=file, stderr=subprocess.STDOUT
        )
    watch = Watch(started.pid, said)
    looking = Thread(target=watch.look_until, args=[stopped])
    looking.start()
    try:
        _, status, used = os.wait4(started.pid, 0)
    except KeyboardInterrupt:
        started.terminate()
        _, status, used = os.wait4(started.pid, 0)
    finally:
        stopped.set()
        looking.join()
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": round(perf_counter() - start, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "own_mebibytes": round(watch.mebibytes),
        "largest_mebibytes": round(used.ru_maxrss / 1024),
        "jobs": watch.jobs,
        "own_seconds_by_jobs": watch.points[:: max(1, len(watch.points) // POINTS)],
    }


class Watch:
    """Looks at a process now and then.

    Attributes:
        mebibytes: the most memory that it had itself.
        jobs: how many Snakemake says that it has to do; 0 of another command.
        points: [jobs that Snakemake has done, its own processor seconds], one for each look.

    """

    def __init__(self, process: int, said: Path) -> None:
        self.mebibytes, self.jobs = 0.0, 0
        self.points: list[tuple[int, float]] = []
        self._process, self._said, self._read_to = process, said, 0

    def look_until(self, stopped: Event) -> None:
        """Looks until it is told to stop, or the process has ended."""
        while not stopped.wait(EVERY):
            try:
                self.mebibytes = peak(self._process)
                # After the name in parentheses, which may hold anything.
                state = Path(f"/proc/{self._process}/stat").read_text()
                times = state.rpartition(")")[2].split()
            except OSError:
                return
            if done := self._done():
                self.points.append((done, round((int(times[11]) + int(times[12])) / TICKS, 1)))

    def _done(self) -> int:
        with self._said.open("rb") as file:
            file.seek(self._read_to)
            new = file.read()
        self._read_to += new.rfind(b"\n") + 1
        found = DONE.findall(new)
        if not found:
            return 0
        done, self.jobs = map(int, found[-1])
        return done


KINDS = {
    "models": "results/**/model.safetensors",
    "predictions": "results/**/predictions.npz",
    "records and other JSON": "results/**/*.json",
    "figures": "results/figures/**/*",
    "all results": "results/**/*",
    "stores": "data/**/*",
    "logs": "logs/**/*",
    "Snakemake's notes": ".snakemake/**/*",
}


def _disk(project: Path) -> dict[str, dict[str, int]]:
    """Returns files, bytes, and bytes without holes, by what they are."""
    found = {}
    for kind, pattern in KINDS.items():
        stats = [path.stat() for path in project.glob(pattern) if path.is_file()]
        found[kind] = {
            "files": len(stats),
            "mebibytes": round(sum(of.st_size for of in stats) / MIB),
            "mebibytes_on_disk": round(sum(of.st_blocks * 512 for of in stats) / MIB),
        }
    return found


def _at_published_sizes(project: Path) -> dict[str, int]:
    """Returns MiB that models and predictions would take with the real networks and all images."""
    stated = json.loads((project / "lotus/instant.json").read_text())["images"]
    of_model, found = _bytes_of_models(), {"models": 0.0, "predictions": 0.0}
    for path in project.glob("results/*/*/**/predictions.npz"):
        dataset, architecture = path.relative_to(project).parts[1:3]
        _, classes, parts = PER_CLASS[dataset]
        rehearsed = stated[dataset]
        numbers = classes**2 * sum(parts.values())
        made_up = rehearsed["classes"] ** 2 * sum(rehearsed["parts"].values())
        found["models"] += of_model[architecture] / MIB
        found["predictions"] += path.stat().st_size * numbers / made_up / MIB
    return {kind: round(size) for kind, size in found.items()}


def _pieces(place: Path) -> list[dict[str, Any]]:
    file = place / "pieces.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _finished(place: Path) -> set[str]:
    """Returns the stages that a rehearsal has been through."""
    return {piece["stage"] for piece in _pieces(place) if piece["code"] == 0}


def taken(place: Path) -> dict[str, Any]:
    """Returns what a rehearsal took: of a stage that was broken off all its pieces together."""
    of_stage = defaultdict[str, list[dict[str, Any]]](list)
    for piece in _pieces(place):
        of_stage[piece["stage"]].append(piece)
    stages = {
        stage: {
            "seconds": round(sum(piece["seconds"] for piece in pieces), 1),
            "processor_seconds": round(sum(piece["processor_seconds"] for piece in pieces), 1),
            "own_mebibytes": max(piece["own_mebibytes"] for piece in pieces),
            "largest_mebibytes": max(piece["largest_mebibytes"] for piece in pieces),
            "finished": pieces[-1]["code"] == 0,
        }
        for stage, pieces in of_stage.items()
    }
    runs, disk = of_stage["run"], place / "disk.json"
    return {
        "jobs": runs[0]["jobs"] if runs else 0,
        "stages": stages,
        "snakemake_itself": [piece["own_seconds_by_jobs"] for piece in runs],
        "disk": json.loads(disk.read_text()) if disk.exists() else {},
        "mebibytes_at_published_sizes": _at_published_sizes(place / "project"),
    }


def measured(folder: Path) -> dict[str, Any]:
    """Returns what the rehearsals in a folder took, and the exponents of the smallest and the largest."""
    places = sorted(folder.glob("times-*"), key=lambda place: int(place.name.partition("-")[2]))
    found = {place.name: taken(place) for place in places}
    if len(found) < 2:
        return {"rehearsals": found, "exponents": {}}
    few, *_, many = found.values()
    exponents = {
        f"{stage}, {what}": exponent(
            [few["jobs"], many["jobs"]], [few["stages"][stage][what], many["stages"][stage][what]]
        )
        for stage in STAGES
        for what in ("processor_seconds", "own_mebibytes")
        if all(of["stages"].get(stage, {}).get("finished") for of in (few, many))
    }
    return {"rehearsals": found, "exponents": exponents}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=1, help="of the grid's seeds")
    parser.add_argument("--share", type=float, default=0.01, help="of the published images")
    parser.add_argument(
        "--full-models",
        action="store_true",
        help="weights as large as the real ones, mostly a hole",
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    chosen = parser.parse_args()
    # Asked to end, it ends what it has started and writes down what that took.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = chosen.folder / f"times-{chosen.times}"
    rehearse(place, chosen.times, chosen.share, chosen.full_models, chosen.cores)
    found = measured(chosen.folder)
    for name, of in found["rehearsals"].items():
        print(f"\n{name}: {of['jobs']:,} jobs")
        print("stage            seconds  processor s  own MiB  largest MiB")
        for stage, took in of["stages"].items():
            print(
                f"{stage:<15} {took['seconds']:>8,} {took['processor_seconds']:>12,}"
                f" {took['own_mebibytes']:>8,} {took['largest_mebibytes']:>12,}"
                f"{'' if took['finished'] else '   not to its end'}"
            )
        for points in filter(None, of["snakemake_itself"]):
            print(f"Snakemake itself: {points[-1][1]} processor s when {points[-1][0]:,} were done")
        for kind, size in of["mebibytes_at_published_sizes"].items():
            print(f"{kind} of the published images and networks: {size:,} MiB")
        for kind, room in of["disk"].items():
            print(
                f"{kind:<25} {room['files']:>8,} files {room['mebibytes']:>10,} MiB"
                f" {room['mebibytes_on_disk']:>10,} MiB without holes"
            )
    for what, value in found["exponents"].items():
        print(f"{what:<40} exponent {value}")
    if chosen.json:
        write_json(chosen.json, found)


if __name__ == "__main__":
    main()
