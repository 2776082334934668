"""A finished project to which the how-tos add one file each, and which has lost a model: run once for all.

Each page of `docs` says what its file changes; after each, what a run would do is noted. Then everything is
run once, and single lines of the files are changed to see what follows.
"""

import json
import re
import shutil
from importlib.util import cache_from_source
from pathlib import Path

from forked import planned, snakemake
from project import ROOT

DIGITS = ("--configfile", "config/digits.yaml")
CLAIMS = "report/claims.yaml"
FILES = {
    "figure": "lotus/figures/retain_forget.py",
    "table": "lotus/tables/forget_drop.py",
    "metric": "lotus/metrics/ece_forget.py",
}
EDITS = {
    "figure": ("1.6 * COLUMN", "1.6 + COLUMN"),
    "table": ("_original - acc", "_original + acc"),
}
MISTAKE = ("label=", "lable=")
MODEL = "results/digits/resnet18/seed13/class-three/corrected/finetune/model.safetensors"
"""The model that is deleted."""


def block(page, language="python"):
    """The only block of a language on a page of `docs`."""
    text = (ROOT / "docs" / page).read_text()
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", text, re.M | re.S)
    return found


(TARGET,) = re.findall(r"^snakemake --cores all ([\w-]+) ", block("own-figure.md", "sh"), re.M)
"""By which the page on figures has its figure made alone."""


def extend(finished, made):
    """Copies a finished project and does what the pages say; notes in `noted.json` what was planned when.

    `noted["table"]` is what a run would do once the table was added to what stands before it; `"done"` is
    after the run, `"table edited"` after another operator in its file. `"model deleted"` is before all
    that; the run makes the model again.
    """
    folder = made / "project"
    shutil.copytree(finished, folder, symlinks=True)
    (folder / MODEL).unlink()
    noted = {"model deleted": planned(folder, *DIGITS)}
    shutil.copy2(finished / MODEL, folder / MODEL)
    with (folder / CLAIMS).open("a") as claims:
        claims.write(block("own-claim.md", "yaml"))
    noted["claim"] = planned(folder, *DIGITS)
    for what, name in FILES.items():
        _write(folder / name, block(f"own-{what}.md"))
        noted[what] = planned(folder, *DIGITS)
        if what == "figure":
            noted["figure alone"] = planned(folder, TARGET, *DIGITS)
    (folder / MODEL).unlink()
    snakemake(folder, "--cores", "2", *DIGITS)
    noted["done"] = planned(folder, *DIGITS)
    for what, edit in EDITS.items():
        text = block(f"own-{what}.md")
        assert edit[0] in text
        _write(folder / FILES[what], text.replace(*edit))
        noted[f"{what} edited"] = planned(folder, *DIGITS)
        _write(folder / FILES[what], text)
    mistaken, text = folder / FILES["figure"], block("own-figure.md")
    _write(mistaken, text.replace(*MISTAKE))
    refused = snakemake(folder, "--dry-run", *DIGITS, check=False)
    _write(mistaken, text)
    noted["refused"] = [refused.returncode, refused.stdout + refused.stderr]
    (made / "noted.json").write_text(json.dumps(noted))


def _write(module, text):
    """Of two texts of the same size and second Python would take what it compiled of the first."""
    module.write_text(text)
    Path(cache_from_source(module)).unlink(missing_ok=True)
