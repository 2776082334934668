"""Steps right of the predictions: metrics, tables, figures, claims, the page, and the ledger."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lotus import layout
from lotus.config.resolved import cells_of_power
from lotus.layout import GOLD, ORIGINAL
from lotus.plan import drawing
from lotus.plan.contents import Contents, PlannedItem, describing_modules, description
from lotus.plan.data_steps import cache_stores, picture_forget_set
from lotus.plan.power import groups_of_power, seed_of_power
from lotus.plan.rows import further_golds
from lotus.plan.shadows import (
    shadow_files,
    shadow_folder,
    shadow_rows,
    shadow_seeds,
    shadowed_cells,
)
from lotus.plan.step import Files, Step, expected, flat, texts, with_record


def evaluate(contents: Contents) -> Iterator[Step]:
    """All metrics of one scenario, protocol, study and seed."""
    plan = contents.plan
    for cell in contents.measured:
        for seed in plan.seeds_of(cell):
            golds, runs = further_golds(plan, cell, seed), plan.run_folders(cell, seed)
            rows = {row: folder for row, folder in runs.items() if row not in golds}
            yield drawing.evaluation(cell, seed, _predictions(rows), _predictions(golds))


def _predictions(runs: Mapping[str, str]) -> dict[str, str]:
    """Row → predictions, of row → folder of its run."""
    return {row: str(layout.run_files(Path(folder))["predictions"]) for row, folder in runs.items()}


def attack(contents: Contents) -> Iterator[Step]:
    """Membership attacks on the models of each cell with tables of its own."""
    plan = contents.plan
    for cell in contents.cells:
        predictions = {
            (row, seed): str(layout.run_files(Path(folder))["predictions"])
            for seed in plan.seeds_of(cell)
            for row, folder in plan.run_folders(cell, seed).items()
        }
        yield drawing.attack(cell, predictions)


def measure_power(contents: Contents) -> Iterator[Step]:
    """Measures and attacks tried on models whose truth is known, where the configuration asks for it."""
    plan = contents.plan
    for cell in cells_of_power(plan.settings):
        given = []
        for group, seed, row in groups_of_power(plan, cell):
            home = plan.home(cell, ORIGINAL if row == ORIGINAL else GOLD)
            folder = layout.run_folder(home, seed, row)
            given.append((group, str(layout.run_files(folder)["predictions"])))
        assert plan.settings.power is not None
        yield drawing.power(cell, seed_of_power(plan, cell), plan.settings.power.level, given)


def attack_shadows(contents: Contents) -> Iterator[Step]:
    """Attacks with the shadow models of a cell, on each other."""
    plan = contents.plan
    for cell in shadowed_cells(plan):
        predictions = {
            (row, seed): str(layout.run_files(shadow_folder(plan, cell, seed, row))["predictions"])
            for seed in shadow_seeds(plan)
            for row in shadow_rows(plan, cell)
        }
        yield drawing.attack_shadows(cell, predictions)


def make_table(contents: Contents) -> Iterator[Step]:
    """Tables of the experiment, and those that a target alone asks for."""
    yield from _items("table", contents.tables, contents.on_request)


def draw_figure(contents: Contents) -> Iterator[Step]:
    """Figures of the experiment, and those that a target alone asks for."""
    yield from _items("figure", contents.figures, contents.on_request)


def _items(
    form: str, every: Iterable[PlannedItem], on_request: Iterable[PlannedItem]
) -> Iterator[Step]:
    for made in every:
        yield drawing.item(form, made.folder, made.name, made.kind, made.sources)
    for made in on_request:
        if made.folder == f"{form}s":
            asked_for = drawing.item(form, made.folder, made.name, made.kind, made.sources)
            yield replace(asked_for, by_default=False)


def make_exhibit(contents: Contents) -> Iterator[Step]:
    """The paper's tables beside what was measured."""
    for made in contents.paper_tables:
        yield drawing.exhibit(made.name, made.sources)


def average_metrics(contents: Contents) -> Iterator[Step]:
    """Means over the seeds, which `dvc metrics` reads; one job with a record for each cell."""
    yield drawing.means(
        {cell: (contents.metrics([cell]), contents.means(cell)) for cell in contents.cells}
    )


def judge_claims(contents: Contents) -> Iterator[Step]:
    """Verdicts on the paper's claims."""
    yield drawing.claims(_measured(contents))


def describe_experiment(contents: Contents) -> Iterator[Step]:
    """The description of the experiment; whoever runs it tells where its settings come from."""
    outputs = with_record({"description": layout.EXPERIMENT})
    yield Step(
        "describe_experiment",
        {},
        inputs={},
        outputs=outputs,
        told={
            "config": json.dumps(contents.plan.settings.model_dump(mode="json")),
            # A new table or figure is one more to be described.
            "made": [f"{it.folder}/{it.name}" for it in (*contents.tables, *contents.figures)],
        },
        modules=tuple(describing_modules(contents.plan)),
        records=expected(outputs, content=description(contents.plan)),
    )


def write_report(contents: Contents) -> Iterator[Step]:
    """The page with everything."""
    yield drawing.page(
        {
            "tables": [first_file(made, "table") for made in contents.tables],
            "figures": [first_file(made, "figure") for made in contents.figures],
            **_measured(contents),
            "attacks": contents.attacks(contents.cells),
            "forgotten": forget_set_files(contents),
            "exhibits": exhibit_files(contents),
        }
    )


def seal_records(contents: Contents) -> Iterator[Step]:
    """The ledger of all records."""
    outputs: dict[str, Files] = {"record": str(layout.LEDGER)}
    yield Step(
        "seal_records",
        {},
        # Each job writes its record last, so no other file of it need be waited for.
        inputs={"recorded": _records(contents)},
        outputs=outputs,
        told={},
        modules=("lotus.records.ledger",),
        records=expected(outputs),
    )


def recorded_outputs(contents: Contents) -> list[str]:
    """Every run, table and figure, the report, the locked stores."""
    runs = [
        path
        for name in layout.RUN_FILES.values()
        for path in contents.run_files(name, contents.measured)
    ]
    of_shadows = shadow_files(contents.plan, layout.RUN_FILES.values())
    return [*_made_of_runs(contents), *runs, *of_shadows]


def _records(contents: Contents) -> list[str]:
    """The records of all that is recorded."""
    places = (layout.record_of(Path(made)) for made in _made_of_runs(contents))
    found = dict.fromkeys(place.as_posix() for place in places if place is not None)
    of_shadows = shadow_files(contents.plan, [layout.RUN_RECORD])
    return [*found, *contents.records(contents.measured), *of_shadows]


def _made_of_runs(contents: Contents) -> list[str]:
    """Everything recorded beside the runs."""
    return [
        str(layout.PAGE),
        str(layout.CLAIMS),
        *means_files(contents),
        *contents.attacks(contents.cells),
        *(first_file(made, "table") for made in contents.tables),
        *(first_file(made, "figure") for made in contents.figures),
        *exhibit_files(contents),
        *(str(step.outputs["status"]) for step in cache_stores(contents)),
    ]


def means_files(contents: Contents) -> list[str]:
    """Means of all cells, one file for each row."""
    return [path for cell in contents.cells for path in contents.means(cell)]


def exhibit_files(contents: Contents) -> list[str]:
    """Files of the paper's tables."""
    return [path for made in contents.paper_tables for path in files_of(made, "table")]


def files_of(made: PlannedItem, form: str) -> list[str]:
    """Files of a table or figure (`form`)."""
    return flat(texts(layout.item_files(made.folder, made.name, form)))


def first_file(made: PlannedItem, form: str) -> str:
    """The file of a table or figure (`form`) that stands for all of them: its CSV or its SVG."""
    return files_of(made, form)[0]


def forget_set_files(contents: Contents) -> list[str]:
    """Forget sets that the page speaks of, with the sheets of their pictures."""
    return [
        path
        for step in picture_forget_set(contents)
        for path in (str(step.inputs["chosen"]), *step.files)
    ]


def _measured(contents: Contents) -> dict[str, Files]:
    """Returns the results on which verdicts and page rest."""
    return {
        "metrics": contents.metrics(contents.measured),
        "runs": contents.records(contents.measured),
        "audits": contents.audits(contents.plan.settings.datasets),
    }
