"""Steps that draw: metrics, tables, figures, claims and the page, each made of what it is about.

`lotus.plan.report_steps` lists those of a plan. Whoever has records and no configuration makes the same
step of a record's subject and inputs. Command lines are said here too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.figures.registry import FIGURES, spec_modules
from lotus.plan.step import ExpectedRecord, Files, Step, expected, flat, subject_of, with_record
from lotus.records.files import sha256
from lotus.results.power import power_file, power_name
from lotus.tables.discovery import Registry
from lotus.tables.registry import PAPER_TABLES, TABLES

FORMS: Mapping[str, Registry[Any]] = {"table": TABLES, "figure": FIGURES}
KIND_OF_FORM = {"table": "make_table", "figure": "draw_figure"}


def evaluation(
    cell: Benchmark, seed: int, predictions: Mapping[str, str], golds: Mapping[str, str]
) -> Step:
    """Returns the step that makes all metrics of a cell and seed.

    Args:
        predictions: row → file.
        golds: name → file, of the golds that the seed's gold is held against.

    """
    outputs = with_record(
        {
            "metrics": layout.metrics_file(cell, seed),
            "entropies": layout.entropies_file(cell, seed),
        }
    )
    read = [*predictions.values(), *golds.values()]
    settings = {"rows": list(predictions), **({"golds": list(golds)} if golds else {})}
    return Step(
        "evaluate",
        {**subject_of(cell, seed), "in_study": layout.in_study("", cell.study)},
        inputs={"predictions": read},
        outputs=outputs,
        told={
            "predictions": [
                *(word for row, path in predictions.items() for word in ("--of", row, path)),
                *(word for name, path in golds.items() for word in ("--again", name, path)),
            ],
            "labels": json.dumps(cell.labels),
        },
        modules=("lotus.runs.evaluation",),
        records=expected(outputs, read, settings),
    )


def attack(cell: Benchmark, predictions: Mapping[tuple[str, int], str]) -> Step:
    """Returns the step that attacks the models of a cell, all seeds.

    Args:
        predictions: row and seed → file.

    """
    outputs = with_record(
        {"attacks": layout.attacks_file(cell), "scores": layout.scores_file(cell)}
    )
    read = list(predictions.values())
    subject = {key: name for key, name in subject_of(cell, 0).items() if key != "seed"}
    return Step(
        "attack",
        {**subject, "in_study": layout.in_study("", cell.study)},
        inputs={"predictions": read},
        outputs=outputs,
        told={
            "predictions": [
                word
                for (row, seed), path in predictions.items()
                for word in ("--of", row, str(seed), path)
            ],
            "labels": json.dumps(cell.labels),
        },
        modules=("lotus.runs.attacking",),
        records=expected(outputs, read, {"of": [list(key) for key in predictions]}),
    )


def power(cell: Benchmark, seed: int, level: float, given: Sequence[tuple[str, str]]) -> Step:
    """Returns the step that tries measures and attacks on models whose truth is known.

    Args:
        given: group and predictions of each model.

    """
    outputs = with_record({"tried": power_file(cell.protocol)})
    read = [path for _, path in given]
    return Step(
        "measure_power",
        {"power": power_name(cell.protocol)},
        inputs={"predictions": read},
        outputs=outputs,
        told={
            "models": [word for group, path in given for word in ("--of", group, path)],
            "seed": seed,
            "level": level,
            "protocol": cell.protocol,
            "labels": json.dumps(cell.labels),
        },
        modules=("lotus.runs.power",),
        records=expected(
            outputs,
            read,
            {"of": [group for group, _ in given], "level": level, "protocol": cell.protocol},
        ),
        by_default=False,
    )


def attack_shadows(cell: Benchmark, predictions: Mapping[tuple[str, int], str]) -> Step:
    """Returns the step that attacks the shadow models of a cell.

    Args:
        predictions: row and seed → file.

    """
    outputs = with_record(
        {"attacks": layout.shadows_file(cell), "scores": layout.shadow_scores_file(cell)}
    )
    made = attack(cell, predictions)
    subject = {key: name for key, name in made.subject.items() if key != "in_study"}
    settings = {"of": [list(key) for key in predictions]}
    return replace(
        made,
        kind="attack_shadows",
        subject=subject,
        outputs=outputs,
        modules=("lotus.runs.attacking_shadows",),
        records=expected(outputs, list(predictions.values()), settings),
    )


def item(form: str, folder: str, name: str, function: str, sources: Sequence[str]) -> Step:
    """Returns the step that makes a table or figure (`form`).

    Args:
        folder, name: where it lies below `results`, without its ending.
        function: the name of the file that states its spec.

    Raises:
        LotusError: there is no such function.

    """
    outputs = with_record(layout.item_files(folder, name, form))
    return Step(
        KIND_OF_FORM[form],
        {"folder": folder, form: name},
        inputs={"sources": list(sources)},
        outputs=outputs,
        told={"kind": function, "out": _stem(folder, name)},
        modules=(FORMS[form].module_of(function),),
        records=expected(outputs, sources, {}),
    )


def exhibit(name: str, sources: Sequence[str]) -> Step:
    """Returns the step that makes a table of the paper beside what was measured.

    Raises:
        LotusError: there is no such table.

    """
    outputs = with_record(layout.item_files(layout.PAPER, name, "table"))
    return Step(
        "make_exhibit",
        {"item": name},
        inputs={"sources": list(sources), **common_sources()},
        outputs=outputs,
        told={"published": str(layout.PAPER_NUMBERS), "out": _stem(layout.PAPER, name)},
        modules=(PAPER_TABLES.module_of(name),),
        records=expected(outputs, [str(layout.EXPERIMENT), *sources], {}),
    )


def means(cells: Mapping[Benchmark, tuple[Sequence[str], Sequence[str]]]) -> Step:
    """Returns the step that makes the means over the seeds; one job with a record for each cell.

    Args:
        cells: cell → its metrics files, and the files of its means.

    """
    records: list[ExpectedRecord] = []
    for cell, (metrics, files) in cells.items():
        outputs: dict[str, Files] = {
            "means": list(files),
            "record": str(layout.means_record(cell)),
        }
        records += expected(outputs, metrics, {})
    return Step(
        "average_metrics",
        {},
        inputs={"metrics": [path for metrics, _ in cells.values() for path in metrics]},
        outputs={
            "means": [path for _, files in cells.values() for path in files],
            "records": [record.path for record in records],
        },
        told={"out": str(layout.MEANS), "records": str(layout.MEANS_RECORDS)},
        modules=("lotus.results.means",),
        records=tuple(records),
    )


def claims(read: Mapping[str, Files]) -> Step:
    """Returns the step that judges the paper's claims.

    Args:
        read: the results that it reads, by name.

    """
    outputs = with_record(
        {"verdicts": layout.CLAIMS, **layout.item_files(*layout.CLAIMS_TABLE, "table")}
    )
    return Step(
        "judge_claims",
        {},
        inputs={"claims": str(layout.STATED_CLAIMS), **common_sources(), **read},
        outputs=outputs,
        told={"published": str(layout.PAPER_NUMBERS), "table": _stem(*layout.CLAIMS_TABLE)},
        modules=("lotus.claims.verdicts",),
        records=expected(outputs),
    )


def page(read: Mapping[str, Files]) -> Step:
    """Returns the step that writes the page with everything.

    Args:
        read: the results that it reads, by name.

    """
    outputs = with_record({"page": layout.PAGE})
    return Step(
        "write_report",
        {},
        inputs={
            **common_sources(),
            **read,
            "claims": str(layout.CLAIMS),
            "template": str(layout.TEMPLATE),
            "page": sorted(path.as_posix() for path in layout.TEMPLATE.parent.glob("*")),
            # Shown if they are there; one that comes later has the page made anew.
            "attestations": [path.as_posix() for path in layout.attestation_files()],
        },
        outputs=outputs,
        told={
            "published": str(layout.PAPER_NUMBERS),
            # As an input it would have its models trained again whenever their code changes.
            "power": " ".join(map(sha256, sorted(layout.POWER.parent.glob("*.json")))),
        },
        modules=("lotus.page.report", *spec_modules()),
        records=expected(outputs),
    )


def common_sources() -> dict[str, Files]:
    """Returns the sources of everything that stands beside the paper's numbers."""
    numbers = [str(layout.PAPER_NUMBERS / name) for name in ("results.csv", "misprints.csv")]
    return {"experiment": str(layout.EXPERIMENT), "published": numbers}


def _stem(folder: str, name: str) -> str:
    """Returns the files of a table or figure without their endings."""
    return (layout.RESULTS / folder / name).as_posix()


def arguments(step: Step) -> list[str]:
    """Returns the command of `lotus` and its arguments by which a step of this module is done.

    The rules of the workflow spell the same.
    """
    return LINES[step.kind](step)


def _line(*words: Files) -> list[str]:
    return flat({str(place): word for place, word in enumerate(words)})


def _evaluate(step: Step) -> list[str]:
    about = ("--seed", step.subject["seed"], "--labels", step.told["labels"])
    written = ("--out", step.outputs["metrics"], "--entropies", step.outputs["entropies"])
    return _line(
        "evaluate", step.told["predictions"], *about, *written, "--record", step.outputs["record"]
    )


def _attack(step: Step) -> list[str]:
    written = ("--out", step.outputs["attacks"], "--scores", step.outputs["scores"])
    about = ("--labels", step.told["labels"])
    return _line(
        "attack", step.told["predictions"], *about, *written, "--record", step.outputs["record"]
    )


def _power(step: Step) -> list[str]:
    about = ("--seed", str(step.told["seed"]), "--level", str(step.told["level"]))
    stated = ("--protocol", step.told["protocol"], "--labels", step.told["labels"])
    written = ("--out", step.outputs["tried"], "--record", step.outputs["record"])
    return _line("power", step.told["models"], *about, *stated, *written)


def _attack_shadows(step: Step) -> list[str]:
    return ["attack-shadows", *_attack(step)[1:]]


def _item(step: Step) -> list[str]:
    command = "table" if step.kind == "make_table" else "figure"
    written = ("--out", step.told["out"], "--record", step.outputs["record"])
    return _line(command, step.told["kind"], step.inputs["sources"], *written)


def _means(step: Step) -> list[str]:
    written = ("--out", step.told["out"], "--records", step.told["records"])
    return _line("means", step.inputs["metrics"], *written)


def _exhibit(step: Step) -> list[str]:
    read = ("--experiment", step.inputs["experiment"], "--published", step.told["published"])
    written = ("--out", step.told["out"], "--record", step.outputs["record"])
    return _line("exhibit", step.subject["item"], *read, *written)


def _claims(step: Step) -> list[str]:
    read = ("--published", step.told["published"], "--experiment", step.inputs["experiment"])
    written = ("--out", step.outputs["verdicts"], "--table", step.told["table"])
    stated = ("--claims", step.inputs["claims"])
    return _line("claims", *stated, *read, *written, "--record", step.outputs["record"])


def _page(step: Step) -> list[str]:
    read = ("--experiment", step.inputs["experiment"], "--published", step.told["published"])
    written = ("--out", step.outputs["page"], "--record", step.outputs["record"])
    return _line("report", *read, "--template", step.inputs["template"], *written)


LINES: Mapping[str, Callable[[Step], list[str]]] = {
    "evaluate": _evaluate,
    "attack": _attack,
    "measure_power": _power,
    "attack_shadows": _attack_shadows,
    "make_table": _item,
    "draw_figure": _item,
    "average_metrics": _means,
    "make_exhibit": _exhibit,
    "judge_claims": _claims,
    "write_report": _page,
}
"""The kinds of steps whose command lines are said here; there are no others."""
