"""A whole experiment, run from a fresh clone: its wall time beside what its jobs computed.

The jobs' own seconds are those that their records state. With as many jobs at once as there are cores
and nothing else to do, a run would take their sum ÷ cores: the ratio says how much more it takes.
"""

import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from child import of_a_clone
from paired import Figures, rounded, timed

from lotus.errors import LotusError
from lotus.formats.json_text import parse_json
from lotus.layout import RESULTS, is_record

ROOT = Path(__file__).resolve().parents[1]


def measure_default_run(folder: Path, config: str, cores: int) -> tuple[Figures, Path]:
    """Runs an experiment in a clone of the last commit.

    Args:
        folder: where the clone goes.
        config: a configuration, relative to the project.

    Returns:
        Seconds, jobs and the ratio; and the finished project.

    Raises:
        LotusError: there is nothing to clone, or the run fails.

    """
    project = folder / "project"
    _run(["git", "clone", "--quiet", str(ROOT), str(project)], ROOT)
    if (ROOT / config).is_file():
        # Also one that is not committed, or was changed.
        shutil.copy(ROOT / config, project / config)
    command = ["snakemake", "--cores", str(cores), "--configfile", config, "--quiet", "all"]
    wall = timed(lambda: _run(command, project))
    jobs, seconds = Counter[str](), defaultdict[str, float](float)
    for kind, own in _stated(project):
        jobs[kind] += 1
        seconds[kind] += own
    computed = sum(seconds.values())
    figures = {
        "config": config,
        "cores": cores,
        "wall_seconds": rounded(wall),
        "jobs_seconds": rounded(computed),
        "by_kind": {
            kind: {"records": jobs[kind], "seconds": rounded(seconds[kind])} for kind in jobs
        },
        "ratios": {"default_run_over_compute": rounded(wall / (computed / cores))},
    }
    return figures, project


def _stated(project: Path) -> Iterator[tuple[str, float]]:
    """Yields the kind of each record, and the seconds that its job took by it."""
    for path in sorted((project / RESULTS).rglob("*.json")):
        if is_record(path.relative_to(project)):
            record = parse_json(path.read_bytes())
            yield record["kind"], record["time"]["total"]


def _run(command: list[str], folder: Path) -> None:
    """Runs a command of this environment on a clone's code, which has to succeed.

    Raises:
        LotusError: it fails.

    """
    ended = subprocess.run(command, cwd=folder, env=of_a_clone(), capture_output=True, text=True)
    if ended.returncode:
        said = ended.stderr.strip() or ended.stdout.strip()
        raise LotusError(f"{' '.join(command)}: ended with {ended.returncode}: {said[-2000:]}")
