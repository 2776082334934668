"""Snakemake looks for jobs that can start when one has ended, and at no other time."""

import pytest
from project import ROOT, run

JOBS = 12
WORKFLOW = f"""
import sys

sys.path.insert(0, {str(ROOT)!r})
from lotus.plan import jobs


onstart:
    LOOK


rule all:
    input:
        expand("{{number}}.txt", number=range({JOBS})),


rule one:
    output:
        "{{number}}.txt",
    shell:
        "sleep 0.2; touch {{output}}"
"""


@pytest.mark.parametrize(
    ("look", "most"), [("jobs.look_when_jobs_end(workflow)", JOBS + 3), ("pass", None)]
)
def test_looks_do_not_multiply(tmp_path, look, most):
    """Where nothing is done they do: then this is no longer needed once they do not."""
    (tmp_path / "Snakefile").write_text(WORKFLOW.replace("LOOK", look))
    done = run(tmp_path, "snakemake", "--cores", "1", "--verbose")
    looks = done.stderr.count("Ready jobs")
    assert (tmp_path / f"{JOBS - 1}.txt").exists()
    assert looks <= most if most is not None else looks > JOBS + 3
