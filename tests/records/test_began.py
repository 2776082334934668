"""When a job began, in a process that does several."""

import contextvars
import json
import time
from datetime import UTC, datetime

from lotus.records.began import begin_job, job_began
from lotus.records.environment import seconds_of_process
from lotus.records.record import write_record


def test_a_process_of_one_job_notes_nothing():
    assert job_began() is None


def test_a_later_job_counts_its_own_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def of_job():
        before = datetime.now(UTC)
        begin_job()
        time.sleep(0.01)
        of_record = {"kind": "test", "modules": ["lotus.errors"], "inputs": [], "outputs": []}
        write_record(tmp_path / "run.json", **of_record, about={}, settings={})
        return before, job_began(), datetime.now(UTC)

    before, began, after = contextvars.copy_context().run(of_job)
    assert before <= began < after
    stated = json.loads((tmp_path / "run.json").read_text())["time"]
    assert 0.01 <= stated["total"] <= (after - before).total_seconds() + 0.001
    assert stated["total"] < seconds_of_process()
    assert job_began() is None
