"""Evaluation of one unlearned model: what is asked of it, saved and made into metrics.

The baseline (`plain.evaluate`) has one form, the published one. Ours is timed under `corrected` and under
`released`: each asks the model, judges it, saves its predictions, and makes all metrics of original, gold
and this model of the files.

The ratios are without what the baseline's loaders take to start and end: at the paper's 60,000 images that
is nothing, here it is a tenth. What our metrics take besides the images stays in.
"""

import copy
from collections.abc import Callable
from pathlib import Path

import plain
import torch
from paired import Figures, Rounds, in_turn, rounded, timed
from problem import Problem
from torch import nn

from lotus.config.protocol import CORRECTED, RELEASED, Protocol
from lotus.engine.frozen import frozen
from lotus.engine.inference import FEW, evaluation_mode
from lotus.predictions import predictions_file
from lotus.runs.evaluation import evaluate_runs
from lotus.runs.recording import Asked, ask_and_judge

AT_ONCE = 64


def measure_evaluation(problem: Problem, rounds: int, folder: Path) -> Figures:
    """Returns seconds of the baseline and of both protocols, and the two ratios.

    Args:
        folder: for predictions and metrics.

    """
    original = problem.network(0)
    unlearned, gold = problem.network(0), problem.network(1)
    # As six of the ten methods leave it: the attack changes it, so each evaluation has a copy.
    unlearned.train()
    data = plain.sets(problem)
    others = {
        "original": _save(problem, original, CORRECTED, folder / "original.npz", chosen=False),
        "gold": _save(problem, gold, CORRECTED, folder / "gold.npz"),
    }

    metrics = Rounds({"metrics": []})
    saved: dict[str, Path] = {}
    right: dict[str, float] = {}

    def make_metrics(protocol: Protocol, said: Path) -> None:
        out, record = folder / "metrics.json", folder / "metrics.record.json"
        evaluate_runs({**others, "row": said}, 0, {"protocol": protocol.name}, out, record)

    def ours(protocol: Protocol) -> Callable[[], None]:
        def evaluate() -> None:
            saved[protocol.name] = folder / f"{protocol.name}.npz"
            said = _save(problem, copy.deepcopy(unlearned), protocol, saved[protocol.name])
            metrics.seconds["metrics"].append(timed(lambda: make_metrics(protocol, said)))

        return evaluate

    def by_plain() -> None:
        found = plain.evaluate(copy.deepcopy(unlearned), gold, original, data)
        right["plain"] = found["test_accuracy"]

    ways = {
        "plain": by_plain,
        "corrected": ours(CORRECTED),
        "released": ours(RELEASED),
        "empty_pass": lambda: plain.empty_pass(data),
    }
    found = in_turn(ways, rounds)
    for name, path in saved.items():
        test = predictions_file.load(path)["test"]
        right[name] = float((test.logits.argmax(1) == test.labels).mean())
    starts = {"empty_pass": plain.PASSES_OF_AN_EVALUATION}

    def ratios(of: Rounds) -> Figures:
        return {
            "evaluation": of.ratio("plain", "corrected", starts),
            "evaluation_released": of.ratio("plain", "released", starts),
        }

    sizes = {name: len(getattr(data, name)) for name in ("retain", "forget", "val", "test")}
    return {
        **found.figures(),
        "images": sizes,
        # The baseline's is to be that of `released`: then both have done the same to the model.
        "test_accuracy": {name: rounded(value) for name, value in right.items()},
        "metrics_seconds": rounded(metrics.median("metrics")),
        "empty_passes_left_out": plain.PASSES_OF_AN_EVALUATION,
        "gain_of_freezing": _gain_of_freezing(problem, original),
        "ratios_by_processor": ratios(found.by_processor()),
        "ratios": ratios(found),
    }


def _gain_of_freezing(problem: Problem, model: nn.Module, rounds: int = 5) -> float:
    """How much faster a frozen network answers: it is made for so many images as are not here."""
    images = problem.images().take(problem.chosen.retain).draw(torch.arange(AT_ONCE), None).images
    with evaluation_mode(model):
        ask = frozen(model, images[:FEW])
        found = in_turn({"as_it_is": lambda: model(images), "frozen": lambda: ask(images)}, rounds)
    return found.ratio("as_it_is", "frozen")


def _save(
    problem: Problem, model: nn.Module, protocol: Protocol, path: Path, chosen: bool = True
) -> Path:
    """Asks a model as a run does, and saves what it says."""
    asked = Asked(problem.store, problem.use, problem.held_out, problem.chosen if chosen else None)
    generator = torch.Generator().manual_seed(0)
    said, collapsed = ask_and_judge(model, problem.images(), asked, protocol, generator, {})
    predictions_file.save(path, said, collapsed)
    return path
