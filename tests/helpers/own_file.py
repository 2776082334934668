"""The how-tos that add one file to a finished project: done one after another, then run together.

Each page of `docs` says what its file changes; after each, what a run would do is noted. Then everything is
run once, and single lines of the files are changed to see what follows.
"""

import json
import re
import shutil

from project import ROOT, run

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


def block(page, language="python"):
    """The only block of a language on a page of `docs`."""
    text = (ROOT / "docs" / page).read_text()
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", text, re.M | re.S)
    return found


def planned(folder):
    """Rule → number of jobs that a run would have."""
    said = run(folder, "snakemake", "--dry-run", *DIGITS).stdout
    found = re.findall(r"^(\w+) +(\d+)$", said, re.M)
    return {rule: int(count) for rule, count in found if rule != "total"}


def extend(finished, draft):
    """Copies a finished project and does what the pages say; notes in `noted.json` what was planned when.

    `noted["table"]` is what a run would do once the table was added to what stands before it; `"done"` is
    after the run, `"table edited"` after another operator in its file.
    """
    folder = draft / "project"
    shutil.copytree(finished, folder, symlinks=True)
    noted = {}
    with (folder / CLAIMS).open("a") as claims:
        claims.write(block("own-claim.md", "yaml"))
    noted["claim"] = planned(folder)
    for what, name in FILES.items():
        (folder / name).write_text(block(f"own-{what}.md"))
        noted[what] = planned(folder)
    run(folder, "snakemake", "--cores", "2", *DIGITS)
    noted["done"] = planned(folder)
    for what, edit in EDITS.items():
        text = block(f"own-{what}.md")
        assert edit[0] in text
        (folder / FILES[what]).write_text(text.replace(*edit))
        noted[f"{what} edited"] = planned(folder)
        (folder / FILES[what]).write_text(text)
    mistaken = folder / FILES["figure"]
    mistaken.write_text(block("own-figure.md").replace(*MISTAKE))
    refused = run(folder, "snakemake", "--dry-run", *DIGITS, check=False)
    mistaken.write_text(block("own-figure.md"))
    noted["refused"] = [refused.returncode, refused.stdout + refused.stderr]
    (draft / "noted.json").write_text(json.dumps(noted))
