"""Forgeries of code, commits, memory and configuration, and those that no reading of records can show."""

import json
import shutil
import subprocess
from importlib import invalidate_caches
from pathlib import Path

from forged_results import MAPS, PREDICTIONS, RUN
from forging import (
    commit,
    edit_arrays,
    edit_json,
    edit_record,
    exchange,
    forgery,
    look,
    moved,
    name_predictions_anew,
    record_anew,
)
from hand_made import write_by_hand
from tiny import CELL, METRICS, TABLE

from lotus import layout
from lotus.audit.project import audit_project
from lotus.config.cells import Benchmark
from lotus.records import digests
from lotus.records.code_identity import code_digest, module_digests
from lotus.records.ledger import seal
from lotus.records.sources import source_of

OF_ERRORS = {
    "entry": ["lotus.errors"],
    "step": code_digest("lotus.errors"),
    "modules": module_digests("lotus.errors"),
}


def ran(record, module, digest):
    """As a step states it that had a module of this digest among its own."""
    modules = {**module_digests("lotus.errors"), module: digest}
    record["code"].update(entry=["lotus.errors", module], modules=modules, step="0" * 16)


@forgery("a plug-in, or a method of one's own, that was exchanged after the runs")
def _():
    Path("patched.py").write_text("A = 2\n")
    invalidate_caches()
    edit_record(RUN, lambda it: ran(it, "patched", source_of(b"A = 1\n").digest[:12]))
    record_anew()
    return PREDICTIONS, "code: patched changed since"


@forgery("the modules in which a step's code begins", look=audit_project)
def _():
    def change(record):
        step, modules = code_digest("lotus.errors"), module_digests("lotus.errors")
        record["code"].update(entry=["lotus.errors"], step=step, modules=modules)

    edit_record(layout.LEDGER, change)
    record_anew()
    return str(layout.LEDGER), "code: states lotus.errors, and not lotus.records.ledger"


@forgery("the modules that a record states of its code, so that no commit is held against them")
def _():
    edit_record(RUN, lambda it: it["code"].update(OF_ERRORS, commit="0" * 40, modules={}))
    record_anew()
    return PREDICTIONS, "and it does not state the present lotus, "


@forgery("a record that the ledger does not list")
def _():
    shutil.copytree(f"{CELL}/lotus", f"{CELL}/other")
    edit_record(f"{CELL}/other/run.json", lambda it: moved(it, f"{CELL}/other"))
    edit_record(f"{CELL}/other/run.json", lambda it: it["about"].update(row="other"))
    edit_record(
        f"{CELL}/other/run.json", lambda it: it["time"].update(started="2026-01-01T00:00:00+00:00")
    )
    record_anew()
    return f"{CELL}/other/run.json", "which does not list it"


@forgery("what an earlier audit remembers (`.lotus/`)")
def _():
    look()
    edit_arrays(PREDICTIONS, lambda it: it["test.logits"].__setitem__(0, 9.0))
    known = json.loads(digests.CACHE.read_text())
    stated = json.loads(Path(RUN).read_text())["outputs"][PREDICTIONS]
    status = Path(PREDICTIONS).stat()
    mark = [getattr(status, f"st_{key}") for key in ("dev", "ino", "size", "mtime_ns", "ctime_ns")]
    digests.CACHE.write_text(json.dumps({**known, PREDICTIONS: [*mark, stated]}))
    return PREDICTIONS, "its sha256 is"


@forgery("results of code that was edited and not committed")
def _():
    edit_record(RUN, lambda it: it["code"].update(dirty=True))
    record_anew()
    return RUN, "made by code that was edited and not committed"


@forgery("the commit that a record names as its code")
def _():
    Path("edited.py").write_text("A = 1\n")
    commit("edited.py")
    named = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    Path("edited.py").write_text("A = 2\n")
    invalidate_caches()

    def change(record):
        ran(record, "edited", source_of(b"A = 2\n").digest[:12])
        step = code_digest("lotus.errors", "edited")
        record["code"].update(step=step, commit=named.stdout.strip(), dirty=False)

    edit_record(RUN, change)
    record_anew()
    return RUN, "as their code, and ran another edited than it has"


@forgery("seeds or settings that were dropped since the last commit", audit_project, False)
def _():
    config = Path("config/toy.yaml")
    config.write_text(config.read_text().replace("seeds: [3407, 13]", "seeds: [3407]"))
    return "config/toy.yaml", "not as in the last commit: seeds was [3407, 13], is [3407]"


@forgery("results that were dropped since the last commit", is_committed=False)
def _():
    Path(MAPS).unlink()
    Path(MAPS).with_suffix(".json").unlink()
    layout.LEDGER.unlink()
    seal(layout.LEDGER)
    record_anew()
    return str(Path(MAPS).with_suffix(".json")), "gone here"


@forgery(
    "hyper-parameters that tuning did not choose, or another objective than it found",
    look=audit_project,
)
def _():
    about = {"dataset": "digits", "architecture": "resnet18", "scenario": "instance-10"}
    # The stated rate is best of two seeds, and worst in the mean.
    for seed, objective in ((101, 0.2), (102, 0.2), (103, 0.9)):
        tried = [{"given": {"lr": 0.01}, "objective": 0.3}]
        tried.append({"given": {"lr": 0.001}, "objective": objective})
        write_by_hand(
            layout.trials_file(Benchmark(**about), seed, "finetune"),
            kind="trials",
            about={**about, "protocol": "corrected", "seed": seed, "row": "finetune"},
            notes={"trials": tried},
            code=OF_ERRORS,
        )
    layout.LEDGER.unlink()
    seal(layout.LEDGER)
    return (
        "finetune in digits-resnet18-instance-10-corrected",
        "chosen was lr 0.01, stated is lr 0.001",
    )


@forgery("a value in metrics, and all that is made of it")
def _():
    edit_json(METRICS, lambda it: it["rows"]["lotus"].update(mia=0.5))
    edit_table("0.5")
    record_anew()


def edit_table(text):
    Path(TABLE).write_text(Path(TABLE).read_text().replace("0.1", text))


@forgery("a cell of a table, figure or page, with its record")
def _():
    edit_table("0.9")
    record_anew()


@forgery("predictions or weights, and all that is made of them")
def _():
    edit_arrays(PREDICTIONS, lambda it: it["test.logits"].__setitem__(0, 9.0))
    name_predictions_anew(METRICS)
    record_anew()


@forgery("two runs that change places, with all that is said of them")
def _():
    def weights():
        for name in ("model.safetensors", "predictions.npz"):
            yield f"{CELL}/lotus/{name}", f"{CELL}/gold/{name}"

    for one, other in weights():
        exchange(one, other)
    name_predictions_anew(METRICS)
    record_anew()


@forgery("times, or versions of libraries, in a record")
def _():
    edit_record(RUN, lambda it: it["time"].update(total=0.5))
    edit_record(RUN, lambda it: it["versions"].update(numpy="9.9"))
    record_anew()
