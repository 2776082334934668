"""How long the plan of the paper's grid takes, how it grows, and how much of it is Snakemake's.

    python benchmarks/plan.py [--times 1 2 4] [--rounds 3] [--json FILE]

A plan is `snakemake --dry-run` in a fresh clone of the last commit, by the processor's seconds (user and
system) and the peak of memory. Beside it, in turn, the floor: the same jobs with the same files between
them in a bare Snakefile, whose rules have inputs, outputs and an empty command, and nothing else. A job is
what the dry run counts; medians of the rounds.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from child import of_a_clone, options, run_to_end

from lotus.plan.declared import declared
from lotus.plan.step import Step, flat
from lotus.plan.steps import Steps
from lotus.plan.targets import Targets
from lotus.records.files import write_json

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path("config/paper.yaml")
TOTAL = re.compile(r"^total\s+(\d+)$", re.MULTILINE)
BARE = '''"""The jobs of a plan, with nothing but the files between them."""
import json

with open("graph.json") as file:
    GRAPH = json.load(file)


rule all:
    input: GRAPH["final"]


def inputs_of(kind):
    return lambda wildcards: GRAPH["inputs"][kind][int(wildcards.number)]


for kind, outputs in GRAPH["outputs"].items():

    rule:
        name: kind
        input: inputs_of(kind)
        output: [f"{kind}/{{number}}.{place}" for place in range(outputs)]
        shell: "true"
'''


@dataclass(frozen=True)
class Planned:
    """What one dry run took."""

    jobs: int
    seconds: float
    mebibytes: float


def measure_plan(times: Sequence[int] = (1, 2, 4), rounds: int = 3) -> dict[str, Any]:
    """Returns what plans and their floors take, for so many times the seeds of the paper's grid."""
    points = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
        for factor in times:
            bare, files = folder / f"bare{factor}", _configured(project, folder, factor)
            _write_bare(bare, files)
            taken: dict[str, list[Planned]] = {"plan": [], "floor": []}
            for _ in range(rounds):
                taken["plan"].append(_planned(project, "--configfile", *map(str, files)))
                taken["floor"].append(_planned(bare))
            points.append({"times_the_seeds": factor} | {k: _said(v) for k, v in taken.items()})
    return {
        "config": str(CONFIG),
        "rounds": rounds,
        "points": points,
        "ratios": {"plan_ms_per_job": points[0]["plan"]["ms_per_job"]},
    }


def _configured(project: Path, folder: Path, factor: int) -> list[Path]:
    """The configuration files of the grid with more seeds."""
    seeds = yaml.safe_load((project / CONFIG).read_text())["seeds"]
    more = folder / f"seeds{factor}.yaml"
    more.write_text(yaml.safe_dump({"seeds": more_seeds(seeds, factor)}))
    return [project / CONFIG, more]


def more_seeds(seeds: Sequence[int], times: int) -> list[int]:
    """Returns these seeds, and so many others that they are `times` as many."""
    return [*seeds, *range(100_000, 100_000 + len(seeds) * (times - 1))]


def _write_bare(folder: Path, files: Sequence[Path]) -> None:
    """Writes the floor's Snakefile, and which job reads which files of which others."""
    steps = Steps(declared(files, {}).plan)
    by_kind: dict[str, list[Step]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, []).append(step)
    place = {
        path: f"{kind}/{number}.{output}"
        for kind, some in by_kind.items()
        for number, step in enumerate(some)
        for output, path in enumerate(step.files)
    }
    graph = {
        "inputs": {
            kind: [[place[it] for it in flat(step.inputs) if it in place] for step in some]
            for kind, some in by_kind.items()
        },
        "outputs": {kind: len(some[0].files) for kind, some in by_kind.items()},
        "final": [place[path] for path in Targets(steps).final if path in place],
    }
    folder.mkdir()
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "Snakefile").write_text(BARE)


def _planned(folder: Path, *options_given: str) -> Planned:
    command = ["snakemake", "--dry-run", "--quiet", "rules", *options_given]
    ended = run_to_end(command, folder, of_a_clone())
    total = TOTAL.search(ended.said)
    if ended.code or total is None:
        sys.exit(f"{' '.join(command)}: says no number of jobs:\n{ended.said[-2000:]}")
    return Planned(int(total[1]), ended.processor_seconds, ended.mebibytes)


def _said(taken: Sequence[Planned]) -> dict[str, float]:
    jobs, seconds = taken[0].jobs, median(it.seconds for it in taken)
    return {
        "jobs": jobs,
        "processor_seconds": round(seconds, 2),
        "ms_per_job": round(seconds / jobs * 1000, 2),
        "peak_mebibytes": round(median(it.mebibytes for it in taken)),
    }


def main() -> None:
    parser = options(__doc__.splitlines()[0], rounds=3)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], help="of the seeds")
    chosen = parser.parse_args()
    measured = measure_plan(chosen.times, chosen.rounds)
    print("times the seeds         jobs  processor s  ms a job  peak MiB")
    for point in measured["points"]:
        for what in ("plan", "floor"):
            of = point[what]
            print(
                f"{point['times_the_seeds']:>5}  {what:<12} {of['jobs']:>8,} {of['processor_seconds']:>12}"
                f" {of['ms_per_job']:>9} {of['peak_mebibytes']:>9,}"
            )
    if chosen.json:
        write_json(chosen.json, measured)


if __name__ == "__main__":
    main()
