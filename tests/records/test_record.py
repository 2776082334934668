"""Records: written last, whole or not at all."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from project import run

from lotus.records.code_identity import code_digest
from lotus.records.environment import git_state, seconds_of_process
from lotus.records.files import as_text, atomic, sha256, write_json
from lotus.records.record import write_record
from lotus.records.seal import identity, is_sealed, sealed


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_record_names_what_was_read_and_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("in")
    (tmp_path / "out").write_text("out")
    write_record(
        tmp_path / "run.json",
        kind="test",
        modules=["lotus.errors"],
        about={"seed": 1},
        settings={"a": 1},
        inputs=[tmp_path / "in"],
        outputs=[tmp_path / "out"],
        seconds={"prepare": 1.0},
    )
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["inputs"] == {"in": sha256(tmp_path / "in")}
    assert record["outputs"] == {"out": sha256(tmp_path / "out")}
    assert record["versions"]["python"]
    assert record["time"]["prepare"] == 1.0
    assert record["code"]["step"] == code_digest("lotus.errors")


def test_the_time_of_a_record_begins_with_its_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of_record = {"kind": "test", "modules": ["lotus.errors"], "inputs": [], "outputs": []}
    before = seconds_of_process()
    write_record(tmp_path / "run.json", **of_record, about={}, settings={})
    time_stated = json.loads((tmp_path / "run.json").read_text())["time"]
    assert before - 0.001 <= time_stated["total"] <= seconds_of_process() + 0.001
    started = datetime.now(UTC).timestamp() - seconds_of_process()
    # Stated in whole seconds, those that are over.
    assert -0.1 < started - datetime.fromisoformat(time_stated["started"]).timestamp() < 1.1


ASKED = """
import os, sys, time
from lotus.records.environment import seconds_of_process
time.sleep(0.2)
forked = None
if "fork" in sys.argv:
    forked = [time.monotonic()]
    if os.fork():
        os.wait()
        sys.exit()
    forked.append(time.monotonic())
    time.sleep(0.1)
print(time.monotonic(), seconds_of_process(), time.monotonic(), *(forked or ()))
"""


@pytest.mark.parametrize("way", ["spawn", "fork"])
def test_the_seconds_of_a_process_count_from_its_own_start(way):
    before = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKED, way], stdout=subprocess.PIPE, text=True
    )
    after = time.monotonic()
    said, _ = process.communicate(timeout=60)
    first, seconds, last, *forked = map(float, said.split())
    # The fork lies between these two, however busy the machine is.
    earliest, latest = forked or (before, after)
    ticks = 0.03
    assert last - seconds >= earliest - ticks
    assert first - seconds <= latest + ticks


def test_a_repository_that_tracks_nothing_of_the_project_is_none_of_its_own(tmp_path, monkeypatch):
    run(tmp_path, "git", "init", "--quiet")
    inside = tmp_path / "unpacked"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert git_state() == {"commit": None, "dirty": None}
    (inside / "code.py").write_text("")
    run(inside, "git", "add", "code.py")
    assert git_state() == {"commit": None, "dirty": True}


def test_variables_of_a_hook_do_not_point_git_elsewhere(tmp_path, monkeypatch):
    run(tmp_path, "git", "init", "--quiet")
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert git_state() == {"commit": None, "dirty": False}


def test_a_seal_breaks_with_every_byte(tmp_path):
    text = as_text(sealed({"kind": "test", "notes": {"a": [1, 2.5, "ä"]}})).encode()
    digest = json.loads(text)["digest"]
    assert is_sealed(text, digest)
    for place in range(len(text)):
        changed = bytearray(text)
        changed[place] ^= 1
        assert not is_sealed(bytes(changed), digest)
    assert not is_sealed(text + b"\n", digest)
    assert sealed(json.loads(text)) == json.loads(text)


def test_records_are_chained_by_what_was_made_of_what(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "results/d/net/seed1/original/corrected/model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_text("weights")
    about = {"kind": "original", "modules": ["lotus.errors"], "about": {"seed": 1}}
    first = model.with_name("run.json")
    write_record(first, **about, settings={"lr": 1}, inputs=[], outputs=[model])
    out = tmp_path / "results/d/net/seed1/s/corrected/metrics.json"
    second = tmp_path / "results/records/d/net/seed1/s/corrected/metrics.json"
    write_json(out, {})
    write_record(second, **about, settings={}, inputs=[model], outputs=[out])
    (link,) = json.loads(second.read_text())["records"].items()
    assert link == (first.relative_to(tmp_path).as_posix(), identity(json.loads(first.read_text())))
    # The same step at another time is the same link; with another parameter it is another.
    write_record(first, **about, settings={"lr": 1}, inputs=[], outputs=[model], seconds={"a": 2.0})
    assert identity(json.loads(first.read_text())) == link[1]
    write_record(first, **about, settings={"lr": 2}, inputs=[], outputs=[model])
    assert identity(json.loads(first.read_text())) != link[1]


def test_published_results_do_not_make_the_code_dirty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("code.py", "results/records/a.json", "data/raw/a.json", "models.dvc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    run(tmp_path, "git", "init", "--quiet")
    run(tmp_path, "git", "add", "--all")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run(tmp_path, "git", *author, "commit", "--quiet", "--message", "all")
    assert git_state()["dirty"] is False
    for name in ("results/records/a.json", "data/raw/a.json", "models.dvc"):
        (tmp_path / name).write_text("after")
    assert git_state()["dirty"] is False
    (tmp_path / "code.py").write_text("after")
    assert git_state() == {
        "commit": run(tmp_path, "git", "rev-parse", "HEAD").stdout.strip(),
        "dirty": True,
    }


def test_where_there_is_no_commit_or_no_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert git_state() == {"commit": None, "dirty": None}
    run(tmp_path, "git", "init", "--quiet")
    assert git_state() == {"commit": None, "dirty": False}
    (tmp_path / "code.py").write_text("new")
    run(tmp_path, "git", "add", "code.py")
    assert git_state() == {"commit": None, "dirty": True}
