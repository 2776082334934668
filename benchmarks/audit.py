"""How long `lotus audit` takes in a finished project, and how it grows with the artifacts.

    python benchmarks/audit.py PROJECT [--rounds 5] [--json FILE]

The audit is this checkout's, by the clock and by the processor's seconds; of an older project it says more
than of one that this code made. The first one, not counted, hashes every file. For the curve the records
of runs are taken for ever more seeds, each with what was made of them alone.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from child import options, run_to_end

from lotus.records.files import write_json

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-P", str(ROOT / "workflow/run_lotus.py"), "audit", "--json")
TRACED = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv = ['lotus', 'audit', '--json']\n"
    "from lotus.cli.main import run\n"
    "try: run()\n"
    "finally: print('torch' in sys.modules, file=sys.stderr)\n"
)


@dataclass(frozen=True)
class Audited:
    """What one audit took."""

    artifacts: int
    seconds: float
    processor_seconds: float


def measure_audit(project: Path, rounds: int = 5) -> dict[str, Any]:
    """Returns the seconds of an audit, the artifacts, whether torch is loaded, and the growth.

    Args:
        project: a finished one; only its file of remembered digests is written.

    """
    whole = _measured(project, rounds)
    with TemporaryDirectory() as folder:
        growth = [_measured(part, rounds) for part in _parts(project, Path(folder))]
    return {
        **whole,
        "loads_torch": _loads_torch(project),
        "growth": [*growth, whole],
        "ratios": {"audit_seconds": whole["seconds"]},
    }


def _measured(project: Path, rounds: int) -> dict[str, float]:
    _audit(project)
    taken = [_audit(project) for _ in range(rounds)]
    return {
        "artifacts": taken[0].artifacts,
        "seconds": round(median(it.seconds for it in taken), 2),
        "processor_seconds": round(median(it.processor_seconds for it in taken), 2),
    }


def _audit(project: Path) -> Audited:
    ended = run_to_end(COMMAND, project, errors=subprocess.DEVNULL)
    # 1 where something is found, which is no matter here.
    if ended.code not in (0, 1):
        sys.exit(f"{project}: lotus audit ends with {ended.code}")
    there = [it for it in json.loads(ended.said)["artifacts"] if it["status"] != "missing"]
    return Audited(len(there), ended.seconds, ended.processor_seconds)


def _loads_torch(project: Path) -> bool:
    command = [sys.executable, "-P", "-c", TRACED, str(ROOT)]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True)
    return ended.stderr.split()[-1] == "True"


def _parts(project: Path, folder: Path) -> Sequence[Path]:
    """Copies of a project with the runs of fewer seeds."""
    seeds = sorted({path.name for path in (project / "results").glob("*/*/seed*")})
    copies = []
    for kept in range(1, len(seeds)):
        gone = seeds[kept:]
        copies.append(folder / f"seeds{kept}")
        shutil.copytree(
            project, copies[-1], symlinks=True, ignore=shutil.ignore_patterns(*gone, ".snakemake")
        )
    return copies


def main() -> None:
    parser = options(__doc__.splitlines()[0], rounds=5)
    parser.add_argument("project", type=Path)
    chosen = parser.parse_args()
    measured = measure_audit(chosen.project, chosen.rounds)
    print("artifacts  seconds  processor s")
    for of in measured["growth"]:
        print(f"{of['artifacts']:>9,} {of['seconds']:>8} {of['processor_seconds']:>12}")
    print(f"torch is {'' if measured['loads_torch'] else 'not '}loaded")
    if chosen.json:
        write_json(chosen.json, measured)


if __name__ == "__main__":
    main()
