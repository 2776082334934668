"""When a job began."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from lotus.records.began import begin_job, job_began

TICK = timedelta(seconds=0.03)
"""Of the clock by which Linux notes when a process begins, with room for the reading."""


def test_a_process_began_when_it_was_started():
    code = "from lotus.records.began import job_began; print(job_began().isoformat())"
    before = datetime.now(UTC)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    began, after = datetime.fromisoformat(said.stdout.strip()), datetime.now(UTC)
    assert before - TICK <= began <= after
    # Python itself takes longer to start than a wrong rounding of the boot time could hide.
    assert began < after - timedelta(seconds=0.01)


def test_a_job_begins_later_in_a_process_that_does_several():
    process = job_began()
    before = datetime.now(UTC)
    import contextvars

    def of_job():
        begin_job()
        return job_began()

    began = contextvars.copy_context().run(of_job)
    assert process < before <= began <= datetime.now(UTC)
    assert abs(job_began() - process) < TICK
