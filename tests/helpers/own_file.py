"""Pages of `docs` that show one file: the file as it stands there, and projects in which it is tried."""

import re
import shutil

from project import ROOT, run

DIGITS = ("--configfile", "config/digits.yaml")


def block(page, language="python"):
    """The only block of a language on a page of `docs`."""
    text = (ROOT / "docs" / page).read_text()
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", text, re.M | re.S)
    return found


def copy_of_finished(finished, folder):
    """A copy of a finished project, to be worked in."""
    shutil.copytree(finished, folder, symlinks=True)
    return folder


def planned(folder):
    """Rule → number of jobs that a run would have."""
    said = run(folder, "snakemake", "--dry-run", *DIGITS).stdout
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", said, re.M)}
