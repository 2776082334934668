"""Steps that need no model: raw files, stores, who is forgotten, which images look alike."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config.scenarios import Scenario
from lotus.config.seeds import drawn_by
from lotus.data import sources
from lotus.layout import HALF, HELD_OUT
from lotus.plan.candidates import trials
from lotus.plan.contents import Contents
from lotus.plan.plan import Plan
from lotus.plan.shadows import splits_of_shadows
from lotus.plan.step import ExpectedRecord, Step, expected, flat, texts, with_record
from lotus.records.files import relative, sha256
from lotus.records.places import on_this_machine
from lotus.records.reading import find_record
from lotus.tracking.dvc_files import locked_stores


def fetch_data(contents: Contents) -> Iterator[Step]:
    """Lists of verified raw files, one for each data set."""
    plan = contents.plan
    mirrors = shlex.join(
        part for place in plan.settings.data.mirror for part in ("--mirror", place)
    )
    for dataset, by_default in _datasets(plan).items():
        raw = {
            key: value
            for key, value in plan.store_of(dataset).items()
            if key in ("source", "raw", "content")
        }
        yield Step(
            "fetch_data",
            {"dataset": dataset},
            inputs={},
            outputs=texts({"raw": layout.raw_list(dataset)}),
            told={"options": json.dumps(raw), "mirrors": mirrors},
            modules=_source_modules(plan, dataset),
            by_default=by_default,
        )


def build_store(contents: Contents) -> Iterator[Step]:
    """Stores; what they hold is stated by the record of `verify_store`."""
    plan, locked = contents.plan, locked_stores(layout.LOCK)
    for dataset, by_default in _datasets(plan).items():
        yield Step(
            "build_store",
            {"dataset": dataset},
            inputs=texts({"raw": layout.raw_list(dataset)}),
            outputs=texts(layout.store_files(dataset)),
            told=_of_store(plan, dataset, locked),
            modules=_source_modules(plan, dataset),
            by_default=by_default,
        )


def verify_store(contents: Contents) -> Iterator[Step]:
    """Records of stores that are sound and the locked ones."""
    plan, locked = contents.plan, locked_stores(layout.LOCK)
    for dataset, by_default in _datasets(plan).items():
        store, told = texts(layout.store_files(dataset)), _of_store(plan, dataset, locked)
        inputs = {**store, **texts({"raw": layout.raw_list(dataset)})}
        settings = {"options": plan.store_of(dataset)}
        if told["other"]:
            settings["locked"] = told["other"]
        record = ExpectedRecord(
            str(layout.store_record(dataset)), tuple(flat(store)), (str(inputs["raw"]),), settings
        )
        yield Step(
            "verify_store",
            {"dataset": dataset},
            inputs=inputs,
            outputs={"record": record.path},
            told=told,
            modules=("lotus.data.build",),
            records=(record,),
            by_default=by_default,
        )


def cache_stores(contents: Contents) -> Iterator[Step]:
    """One step: DVC takes the locked stores that every clone can build."""
    cached = _cached()
    if not cached:
        return
    outputs = with_record({"status": layout.CACHED})
    read = [str(layout.store_files(dataset)["source"]) for dataset in cached]
    yield Step(
        "cache_stores",
        {},
        inputs={"records": [str(layout.store_record(dataset)) for dataset in cached]},
        outputs=outputs,
        told={"stores": [str(layout.STORES / dataset) for dataset in cached]},
        modules=("lotus.tracking.dvc",),
        records=expected(outputs, read, {"stores": cached}),
    )


def split_held_out(contents: Contents) -> Iterator[Step]:
    """Validation and test halves, for each data set and seed."""
    for (dataset, seed), by_default in _whatever_scenario(forget_sets(contents)).items():
        outputs = with_record({"halves": layout.split_file(dataset, seed, HELD_OUT)})
        yield Step(
            "split_held_out",
            {"dataset": dataset, "seed": str(seed)},
            inputs=texts({"store": layout.store_record(dataset)}),
            outputs=outputs,
            told={"store": str(layout.STORES / dataset), "apart": _apart(contents, seed)},
            modules=("lotus.data.splits",),
            records=expected(outputs, _read_by_splits(dataset), _drawn_by(contents, seed)),
            by_default=by_default,
        )


def halve_training(contents: Contents) -> Iterator[Step]:
    """Halves of the training images, for each data set and shadow."""
    of_shadows = splits_of_shadows(contents.plan)
    for (dataset, seed), by_default in _whatever_scenario(of_shadows).items():
        outputs = with_record({"half": layout.split_file(dataset, seed, HALF)})
        yield Step(
            "halve_training",
            {"dataset": dataset, "seed": str(seed)},
            inputs=texts({"store": layout.store_record(dataset)}),
            outputs=outputs,
            told={"store": str(layout.STORES / dataset)},
            modules=("lotus.data.splits",),
            records=expected(outputs, _read_by_splits(dataset), {}),
            by_default=by_default,
        )


def choose_forget_set(contents: Contents) -> Iterator[Step]:
    """Forget and retain images, for each data set, seed and scenario."""
    plan = contents.plan
    of_shadows = splits_of_shadows(plan)
    for (dataset, seed, scenario), by_default in forget_sets(contents).items():
        outputs = with_record({"chosen": layout.split_file(dataset, seed, scenario)})
        told = plan.scenario(scenario)
        settings = Scenario(**told).model_dump(exclude_none=True) | _drawn_by(contents, seed)
        known = [path.as_posix() for path in known_of(plan, dataset, scenario)]
        listed = list_of(plan, scenario)
        half = []
        if (dataset, seed, scenario) in of_shadows:
            half = [layout.split_file(dataset, seed, HALF).as_posix()]
        yield Step(
            "choose_forget_set",
            {"dataset": dataset, "seed": str(seed), "scenario": scenario},
            inputs={
                "store": str(layout.store_record(dataset)),
                "half": half,
                "known": known,
                "listed": listed,
            },
            outputs=outputs,
            told={
                "store": str(layout.STORES / dataset),
                "scenario": json.dumps(told),
                "labels": json.dumps({"scenario": scenario}),
                "half": ["--half", *half] if half else [],
                "known": ["--known", *known] if known else [],
                "apart": _apart(contents, seed),
                "listed": _digests(listed),
            },
            modules=("lotus.data.splits",),
            records=expected(
                outputs,
                [
                    *_read_by_splits(dataset),
                    *half,
                    *known,
                    *listed,
                    *_names(plan, dataset, scenario),
                ],
                settings,
            ),
            by_default=by_default,
        )


def known_of(plan: Plan, dataset: str, scenario: str) -> list[Path]:
    """The file of what a scenario's rule goes by besides labels, if it does."""
    told = plan.scenario(scenario)
    match plan.settings.scenarios[scenario].reads:
        case "losses":
            return [layout.losses_file(dataset, told["ranked_by"])]
        case "hashes":
            return [layout.hashes_file(dataset)]
    return []


def list_of(plan: Plan, scenario: str) -> list[str]:
    """The file that lists the images which a scenario forgets, if one does."""
    path = plan.settings.scenarios[scenario].forget_list
    return [] if path is None else [relative(Path(path))]


def _digests(files: list[str]) -> list[str]:
    """Returns by what a job is made again that reads a user's files: their bytes, whatever their time."""
    return [sha256(place) for file in files if (place := on_this_machine(file)).is_file()]


def _names(plan: Plan, dataset: str, scenario: str) -> list[str]:
    """Returns the names of images that a scenario goes by, if it asks for single images."""
    has_names = sources.source(plan.store_of(dataset)["source"]).has_names
    is_read = has_names and plan.settings.scenarios[scenario].is_listed
    return [layout.names_file(dataset).as_posix()] if is_read else []


def _apart(contents: Contents, seed: int) -> list[str]:
    """Returns the option by which a split is told its own seed; nothing where it has none."""
    own = contents.plan.settings.apart(seed).get("split")
    return [] if own is None else ["--seeds-apart", json.dumps({"split": own})]


def _drawn_by(contents: Contents, seed: int) -> dict[str, int]:
    return drawn_by(contents.plan.settings.apart(seed).get("split"))


def picture_forget_set(contents: Contents) -> Iterator[Step]:
    """Sheets of pictures of the forget sets that the page speaks of."""
    for dataset, seed, scenario in _shown(contents):
        outputs = with_record(layout.sheet_files(dataset, seed, scenario))
        chosen = str(layout.split_file(dataset, seed, scenario))
        files = layout.store_files(dataset)
        read = [chosen, *(str(files[name]) for name in ("images", "labels", "classes"))]
        yield Step(
            "picture_forget_set",
            {"dataset": dataset, "seed": str(seed), "scenario": scenario},
            inputs={"store": str(layout.store_record(dataset)), "chosen": chosen},
            outputs=outputs,
            told={
                "store": str(layout.STORES / dataset),
                "labels": json.dumps({"dataset": dataset, "scenario": scenario, "seed": seed}),
            },
            modules=("lotus.data.forget_sheet",),
            records=expected(outputs, read, {}),
        )


def find_lookalikes(contents: Contents) -> Iterator[Step]:
    """Images that look alike, in the parts of each scenario; with one seed, on which little depends."""
    seed = contents.plan.settings.seeds[0]
    for dataset, scenario in _audited(contents):
        outputs = with_record(
            {
                "audit": layout.audit_file(dataset, scenario),
                "cleaned": layout.cleaned_file(dataset, scenario),
            }
        )
        yield Step(
            "find_lookalikes",
            {"dataset": dataset, "scenario": scenario},
            inputs=texts(
                {
                    "store": layout.store_record(dataset),
                    "held_out": layout.split_file(dataset, seed, HELD_OUT),
                    "forget_set": layout.split_file(dataset, seed, scenario),
                }
            ),
            outputs=outputs,
            told={
                "store": str(layout.STORES / dataset),
                "seed": seed,
                "labels": json.dumps({"dataset": dataset, "scenario": scenario}),
            },
            modules=("lotus.data.lookalikes",),
            records=expected(outputs),
        )


def _datasets(plan: Plan) -> dict[str, bool]:
    """Data sets whose stores can be made, and whether they are by default.

    They are where cells or rows need them, or every clone can build what `data.dvc` locks. Others are
    declared and not used, or locked by somebody else's experiment.
    """
    locked = locked_stores(layout.LOCK)
    calibrations = [name for row in plan.settings.methods if (name := plan.calibration_of(row))]
    needed = dict.fromkeys(
        [*(cell.dataset for cell in plan.cells), *calibrations, *_cached()], True
    )
    others = [
        name
        for name in (*plan.settings.datasets, *locked)
        if plan.store_of(name)["source"] in sources.available()
    ]
    return dict.fromkeys(others, False) | needed


def _cached() -> list[str]:
    """Locked stores that every clone can build."""
    return [name for name in locked_stores(layout.LOCK) if sources.is_in_repository(name)]


def _source_modules(plan: Plan, dataset: str) -> tuple[str, ...]:
    """Code that reads a data set, where its raw files are always at hand.

    A store of downloaded files needs them no more once it is built, so no change of code asks for them:
    its content is known by its digest.
    """
    described = sources.source(plan.store_of(dataset)["source"])
    if not described.in_repository:
        return ()
    return ("lotus.data.build", sources.module_of(described.name))


def _of_store(plan: Plan, dataset: str, locked: Mapping[str, str]) -> dict[str, Any]:
    return {
        "folder": str(layout.STORES / dataset),
        "options": json.dumps(plan.store_of(dataset)),
        "locked": locked.get(dataset, "any"),
        "other": other_lock(dataset, locked),
    }


def other_lock(dataset: str, locked: Mapping[str, str]) -> str:
    """The digest that `data.dvc` has for a store, where the store's record states another one; else ''.

    So publishing, which locks a store as it is, makes nothing stale.
    """
    record = find_record(layout.store_record(dataset))
    notes = {} if record.problem else record.content["notes"]
    wanted, stated = locked.get(dataset, ""), notes.get("dvc", "")
    return wanted if stated not in ("", wanted) else ""


def forget_sets(contents: Contents) -> dict[tuple[str, int, str], bool]:
    """Data set, seed and scenario of all forget sets, and whether they are made by default.

    Those of the runs and of the search for images that look alike are; tuning has seeds of its own.
    """
    plan = contents.plan
    tuned = {(cell.dataset, seed, cell.scenario): False for cell, seed, _ in trials(plan)}
    return tuned | dict.fromkeys(_shown(contents), True) | splits_of_shadows(plan)


def _whatever_scenario(splits: Mapping[tuple[str, int, str], bool]) -> dict[tuple[str, int], bool]:
    """Data set and seed, and whether any scenario there is made by default."""
    found: dict[tuple[str, int], bool] = {}
    for (dataset, seed, _), by_default in splits.items():
        found[dataset, seed] = found.get((dataset, seed), False) or by_default
    return found


def _shown(contents: Contents) -> list[tuple[str, int, str]]:
    """Data set, seed and scenario of forget sets that the page speaks of: those of runs and of audits.

    A scenario whose blocks leave out the file's first seed is audited with it all the same.
    """
    of_runs = (
        (cell.dataset, seed, cell.scenario)
        for cell in contents.measured
        for seed in contents.plan.seeds_of(cell)
    )
    first = contents.plan.settings.seeds[0]
    audited = ((dataset, first, scenario) for dataset, scenario in _audited(contents))
    return list(dict.fromkeys((*of_runs, *audited)))


def _audited(contents: Contents) -> list[tuple[str, str]]:
    """Data sets and scenarios in whose parts images that look alike are searched for."""
    return list(dict.fromkeys((cell.dataset, cell.scenario) for cell in contents.cells))


def _read_by_splits(dataset: str) -> list[str]:
    store = layout.store_files(dataset)
    return [str(store["source"]), str(store["labels"])]
