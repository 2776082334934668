"""Attestations that nobody made by `lotus attest`, for tests of what reads them."""

from pathlib import Path

from lotus import layout
from lotus.records.attestations import FORMAT, SAME, worst
from lotus.records.attested_words import TOLERANCES, WHOLE, proves
from lotus.records.draws import chances, draw
from lotus.records.files import sha256, write_json
from lotus.records.seal import sealed

PLACE = layout.ATTESTATIONS / "2026-01-01-by-hand.json"


def file_of(path, finding=SAME, said=""):
    """What is stated of a file that lies there."""
    digest = sha256(Path(path))
    again = digest if finding == SAME else "0" * 64
    return {"there": digest, "again": again, "finding": finding, "said": said}


def step_of(about, files, kind="unlearn", inputs=None):
    return {
        "kind": kind,
        "about": about,
        "command": f"lotus {kind}",
        "finding": worst([file["finding"] for file in files.values()]),
        "device": "cpu",
        "elsewhere": "",
        "seconds": 1.0,
        "inputs": inputs or {},
        "files": files,
        "said": "",
    }


def attestation_of(runs, population, results=(), seed=1):
    """The content of an attestation.

    Args:
        runs: folder → path → what is stated of it, of all runs that may be drawn.

    """
    drawn = draw(population, len(runs), seed)
    steps = [step_of(folder, runs[folder]) for folder in drawn]
    by_bytes = sum(step["finding"] == SAME for step in steps)
    return sealed(
        {
            "format": FORMAT,
            "kind": "attestation",
            "made": {
                "command": "lotus attest",
                "started": "2026-01-01T00:00:00+00:00",
                "seconds": 2.0,
                "package": "0" * 16,
                "commit": None,
                "dirty": None,
                "versions": {"python": "3.11"},
                "hardware": {"processor": "abacus", "system": "Linux"},
                "held_against": "config/toy.yaml",
            },
            "draw": {
                "seed": seed,
                "count": len(runs),
                "population": list(population),
                "absent": 0,
                "drawn": drawn,
                "depth": WHOLE,
            },
            "runs": steps,
            "results": list(results),
            "by_bytes": by_bytes,
            "chances": chances(len(population), by_bytes),
            "tolerances": dict(TOLERANCES),
            "proves": proves(WHOLE, bool(steps), bool(results)),
        }
    )


def run_of(folder, finding=SAME, said=""):
    """Path → what is stated of it, of a run; a finding is one on its predictions."""
    files = {name: path.as_posix() for name, path in layout.run_files(Path(folder)).items()}
    stated = {path: file_of(path) for path in files.values()}
    return stated | {files["predictions"]: file_of(files["predictions"], finding, said)}


def attest_by_hand(folders, finding=SAME, said="", out=PLACE):
    """Writes an attestation of all these runs, whole; returns its path."""
    runs = {str(folder): run_of(folder, finding, said) for folder in folders}
    write_json(out, attestation_of(runs, [*runs]))
    return out
