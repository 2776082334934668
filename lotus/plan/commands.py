"""The command of a step, put together from what the plan says of it; a record's own line plays no part.

Those of steps with a model stand here, and the rules of the workflow run them as they are. Others are in
`lotus.plan.drawing`; the rules say the same in Snakemake's terms, and a test holds the lines that they left
in records against these.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from lotus.engine.runtime import DEFAULT
from lotus.plan import drawing
from lotus.plan.step import Files, Step, flat

RUNS = ("pretrain_original", "retrain_gold", "unlearn")
"""Kinds of steps that make a model and ask it for its predictions."""
RESULTS = (
    "evaluate",
    "attack",
    "measure_power",
    "attack_shadows",
    "average_metrics",
    "make_table",
    "draw_figure",
    "make_exhibit",
    "judge_claims",
)
"""Kinds of steps that make metrics, attacks, tables, figures and verdicts, and need no model."""
PLACES = ("out", "records", "table")
"""Names under which a step is told where it writes."""


def moved(step: Step, below: Path) -> Step:
    """Returns a step that reads the same and writes below a folder, by the paths of the project."""

    def place(files: Files) -> Files:
        if isinstance(files, str):
            return (below / files).as_posix()
        return [(below / path).as_posix() for path in files]

    return replace(
        step,
        outputs={name: place(files) for name, files in step.outputs.items()},
        told={key: place(it) if key in PLACES else it for key, it in step.told.items()},
    )


def command_of(step: Step, device: str = "auto", runtime: str = DEFAULT) -> list[str]:
    """Returns the arguments of `lotus` that do a step of `RUNS` or `RESULTS`.

    Args:
        device, runtime: of models; others have none.

    """
    if step.kind in RUNS:
        return [*run_command(step), "--device", device, "--runtime", runtime]
    return drawing.arguments(step)


def run_command(step: Step) -> list[str]:
    """Returns the arguments of `lotus` that do a step of `RUNS`, but for what it computes on."""
    words = [*_VERBS[step.kind](step), *_of_model(step)]
    return flat({str(place): word for place, word in enumerate(words)})


def _pretrain(step: Step) -> list[Files]:
    return ["pretrain", *_read(step), *_sections(step)]


def _retrain(step: Step) -> list[Files]:
    return ["retrain", *_read(step), *_sections(step), step.told["again"]]


def _unlearn(step: Step) -> list[Files]:
    method = (step.told["method"], step.told["hyperparameters"])
    return [
        "unlearn",
        *method,
        *_read(step),
        "--original",
        step.told["original"],
        step.told["network"],
    ]


def _read(step: Step) -> list[Files]:
    """The store and the splits that a run reads."""
    splits = {"--held-out": "held_out", "--half": "half", "--forget-set": "forget_set"}
    given = [(option, step.inputs[name]) for option, name in splits.items() if name in step.inputs]
    return ["--store", step.told["store"], *(word for pair in given for word in pair)]


def _sections(step: Step) -> list[Files]:
    return ["--architecture", step.told["architecture"], "--images", step.told["images"]]


def _of_model(step: Step) -> list[Files]:
    """Returns what every step with a model is told; where it writes comes last."""
    return [
        *("--seed", step.subject["seed"], step.told["apart"], "--labels", step.told["labels"]),
        step.told.get("plugins", []),
        *("--protocol", step.subject["protocol"], step.told["weights"]),
        step.told.get("calibration", []),
        *("--out", step.told["out"]),
    ]


Line = Callable[[Step], list[Files]]
_VERBS: Mapping[str, Line] = {
    "pretrain_original": _pretrain,
    "retrain_gold": _retrain,
    "unlearn": _unlearn,
}
