"""All figures of speed: prints them and writes them as one JSON file (`make bench`).

    python benchmarks/bench.py [--quick] [--full] [--only PART …] [--cifar FOLDER] [--out FILE]

`ratios` in the file has always the same keys; one whose part did not run is null, and `not_measured` says
why. What is compared runs in turn, on the same images, with the same number of threads: see README.md.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

OUT = Path(__file__).parent / "results" / "latest.json"


def said(ratios: Mapping[str, float | None], goals: Mapping[str, tuple[str, float] | None]) -> str:
    """Returns the ratios in lines, each with what is aimed at."""
    lines = []
    for name, value in ratios.items():
        goal = goals[name]
        aimed = f"   {goal[0]} {goal[1]:g}" if goal else ""
        lines.append(f"{name:<26} {'not measured' if value is None else f'{value:g}':>12}{aimed}")
    return "\n".join(lines)


def main() -> None:
    # Not above: processes that the measurements start read this file, and would load all that they use.
    from parts import PARTS, RATIOS, Bench, measure

    from lotus.engine.device import prepare
    from lotus.errors import LotusError
    from lotus.records.files import write_json
    from lotus.runs.run import load_optimizers

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="whether all works: two minutes")
    parser.add_argument("--full", action="store_true", help="also a whole run of --config")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[], metavar="PART")
    parser.add_argument("--cifar", type=Path, help="folder that holds cifar-10-batches-py")
    parser.add_argument("--config", default="config/fashion-mini.yaml")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="of torch, for both sides")
    parser.add_argument("--cores", type=int, default=cores, help="for jobs and processes")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    prepare("cpu", chosen.threads)
    load_optimizers()
    cifar, out = (path and path.absolute() for path in (chosen.cifar, chosen.out))
    with TemporaryDirectory() as folder:
        options = (chosen.quick, chosen.full, cifar, chosen.config, chosen.threads, chosen.cores)
        bench = Bench(*options, Path(folder))
        try:
            measured = measure(bench, chosen.only)
        except LotusError as error:
            sys.exit(str(error))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, measured)
    print(said(measured["ratios"], RATIOS))
    print(f"All figures: {out}")


if __name__ == "__main__":
    main()
