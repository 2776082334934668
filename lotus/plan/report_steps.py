"""Steps right of the predictions: metrics, tables, figures, claims, the page, and the ledger."""

import json
from collections.abc import Iterator
from pathlib import Path

from lotus import layout
from lotus.figures.registry import spec_modules
from lotus.plan.contents import Contents, Made, description
from lotus.plan.data_steps import cache_stores, picture_forget_set
from lotus.plan.step import (
    ExpectedRecord,
    Files,
    Step,
    expected,
    flat,
    subject_of,
    texts,
    with_record,
)


def evaluate(contents: Contents) -> Iterator[Step]:
    """All metrics of one scenario, protocol, study and seed."""
    plan = contents.plan
    for cell in contents.measured:
        for seed in plan.seeds_of(cell):
            predictions = {
                row: str(layout.run_files(Path(folder))["predictions"])
                for row, folder in plan.run_folders(cell, seed).items()
            }
            outputs = with_record({"metrics": layout.metrics_file(cell, seed)})
            read = list(predictions.values())
            yield Step(
                "evaluate",
                {**subject_of(cell, seed), "in_study": layout.in_study("", cell.study)},
                inputs={"predictions": read},
                outputs=outputs,
                told={
                    "predictions": [
                        word for row, path in predictions.items() for word in ("--of", row, path)
                    ],
                    "labels": json.dumps(cell.labels),
                },
                modules=("lotus.runs.evaluation",),
                records=expected(outputs, read, {"rows": list(predictions)}),
            )


def make_table(contents: Contents) -> Iterator[Step]:
    """Tables of the experiment."""
    for made in contents.tables:
        yield _item("make_table", "table", made)


def draw_figure(contents: Contents) -> Iterator[Step]:
    """Figures of the experiment."""
    for made in contents.figures:
        yield _item("draw_figure", "figure", made)


def _item(kind: str, form: str, made: Made) -> Step:
    outputs = with_record(layout.item_files(made.folder, made.name, form))
    return Step(
        kind,
        {"folder": made.folder, form: made.name},
        inputs={"sources": list(made.sources)},
        outputs=outputs,
        told={"kind": made.kind, "out": _stem(made.folder, made.name)},
        modules=(made.module,),
        records=expected(outputs, made.sources, {}),
    )


def _stem(folder: str, name: str) -> str:
    """Files of a table or figure without their endings."""
    return (layout.RESULTS / folder / name).as_posix()


def make_exhibit(contents: Contents) -> Iterator[Step]:
    """The paper's tables beside what was measured."""
    for made in contents.paper_tables:
        outputs = with_record(layout.item_files(made.folder, made.name, "table"))
        yield Step(
            "make_exhibit",
            {"item": made.name},
            inputs={"sources": list(made.sources), **_common_sources()},
            outputs=outputs,
            told={"published": str(layout.PAPER_NUMBERS), "out": _stem(made.folder, made.name)},
            modules=(made.module,),
            records=expected(outputs, [str(layout.EXPERIMENT), *made.sources], {}),
        )


def average_metrics(contents: Contents) -> Iterator[Step]:
    """Means over the seeds, which `dvc metrics` reads; one job with a record for each cell."""
    records: list[ExpectedRecord] = []
    for cell in contents.cells:
        record = str(layout.means_record(cell))
        outputs: dict[str, Files] = {"means": contents.means(cell), "record": record}
        records += expected(outputs, contents.metrics([cell]), {})
    yield Step(
        "average_metrics",
        {},
        inputs={"metrics": contents.metrics(contents.cells)},
        outputs={
            "means": means_files(contents),
            "records": [record.path for record in records],
        },
        told={"out": str(layout.MEANS), "records": str(layout.MEANS_RECORDS)},
        modules=("lotus.results.means",),
        records=tuple(records),
    )


def judge_claims(contents: Contents) -> Iterator[Step]:
    """Verdicts on the paper's claims."""
    outputs = with_record(
        {"verdicts": layout.CLAIMS, **layout.item_files(*layout.CLAIMS_TABLE, "table")}
    )
    yield Step(
        "judge_claims",
        {},
        inputs={
            "claims": str(layout.STATED_CLAIMS),
            **_common_sources(),
            "metrics": contents.metrics(contents.measured),
            "runs": contents.records(contents.measured),
            "audits": _audits(contents),
        },
        outputs=outputs,
        told={"published": str(layout.PAPER_NUMBERS), "table": _stem(*layout.CLAIMS_TABLE)},
        modules=("lotus.claims.verdicts",),
        records=expected(outputs),
    )


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
        modules=("lotus.plan.contents",),
        records=expected(outputs, content=description(contents.plan)),
    )


def write_report(contents: Contents) -> Iterator[Step]:
    """The page with everything."""
    outputs = with_record({"page": layout.PAGE})
    yield Step(
        "write_report",
        {},
        inputs={
            **_common_sources(),
            "tables": [first_file(made, "table") for made in contents.tables],
            "figures": [first_file(made, "figure") for made in contents.figures],
            "audits": _audits(contents),
            "metrics": contents.metrics(contents.measured),
            "runs": contents.records(contents.measured),
            "forgotten": forget_set_files(contents),
            "exhibits": exhibit_files(contents),
            "claims": str(layout.CLAIMS),
            "template": str(layout.TEMPLATE),
            "page": sorted(path.as_posix() for path in layout.TEMPLATE.parent.glob("*")),
        },
        outputs=outputs,
        told={"published": str(layout.PAPER_NUMBERS)},
        modules=("lotus.page.report", *spec_modules()),
        records=expected(outputs),
    )


def seal_records(contents: Contents) -> Iterator[Step]:
    """The ledger of all records."""
    outputs: dict[str, Files] = {"record": str(layout.LEDGER)}
    yield Step(
        "seal_records",
        {},
        inputs={"recorded": recorded_outputs(contents)},
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
    return [
        str(layout.PAGE),
        str(layout.CLAIMS),
        *means_files(contents),
        *(first_file(made, "table") for made in contents.tables),
        *(first_file(made, "figure") for made in contents.figures),
        *exhibit_files(contents),
        *runs,
        *(str(step.outputs["status"]) for step in cache_stores(contents)),
    ]


def means_files(contents: Contents) -> list[str]:
    """Means of all cells, one file for each row."""
    return [path for cell in contents.cells for path in contents.means(cell)]


def exhibit_files(contents: Contents) -> list[str]:
    """Files of the paper's tables."""
    return [path for made in contents.paper_tables for path in files_of(made, "table")]


def files_of(made: Made, form: str) -> list[str]:
    """Files of a table or figure (`form`)."""
    return flat(texts(layout.item_files(made.folder, made.name, form)))


def first_file(made: Made, form: str) -> str:
    """The file of a table or figure (`form`) that stands for all of them: its CSV or its SVG."""
    return files_of(made, form)[0]


def forget_set_files(contents: Contents) -> list[str]:
    """Forget sets of all runs, with the sheets of their pictures."""
    return [
        path
        for step in picture_forget_set(contents)
        for path in (str(step.inputs["chosen"]), *step.files)
    ]


def _common_sources() -> dict[str, Files]:
    """Returns the sources of everything that stands beside the paper's numbers."""
    numbers = [str(layout.PAPER_NUMBERS / name) for name in ("results.csv", "misprints.csv")]
    return {"experiment": str(layout.EXPERIMENT), "published": numbers}


def _audits(contents: Contents) -> list[str]:
    return contents.audits(contents.plan.settings.datasets)
