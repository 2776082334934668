"""One epoch of LoTUS: the baseline's beside ours, in fp32 and in bf16; and a ViT's teacher asked once.

An epoch is the whole of `unlearn` with one epoch: the original's accuracy on validation images, the
student's on the forget set, and one pass over the union. With so large an `exit_tolerance` it never ends
early.
"""

import copy
from collections.abc import Callable

import plain
from paired import Figures, Rounds, in_turn
from problem import Problem
from torch import nn

from lotus.config.protocol import CORRECTED, RELEASED, Protocol
from lotus.data.batches import ImageSet
from lotus.engine.forward import as_declared
from lotus.engine.runtime import parse
from lotus.methods.base import Task
from lotus.methods.base.teacher import Teacher
from lotus.methods.lotus import LoTUS

NO_EARLY_END = 2.0
EPOCHS_OF_A_VIT = 3


class Forgetful(Task):
    """A task whose teacher is asked about each batch, as if images were augmented."""

    def teacher(self, images: ImageSet, network: nn.Module | None = None) -> Teacher:
        """Returns a teacher that keeps no answer."""
        return Teacher(network or self.original, images, asked_once=False)


def unlearning(
    problem: Problem,
    original: nn.Module,
    protocol: Protocol = CORRECTED,
    epochs: int = 1,
    kind: type[Task] = Task,
) -> Callable[[], object]:
    """Returns a call that unlearns by LoTUS."""
    method = LoTUS(epochs=epochs, exit_tolerance=NO_EARLY_END)
    return lambda: method.unlearn(problem.task(original, lambda *_: None, protocol, kind))


def measure_lotus_epoch(problem: Problem, rounds: int) -> Figures:
    """Returns seconds of an epoch of the baseline and of ours, and the ratios."""
    original = problem.network()
    reduced = as_declared(copy.deepcopy(original), parse("precision=bf16"), "cpu")
    data = plain.sets(problem)
    ways = {
        "plain": lambda: plain.lotus(original, copy.deepcopy(original), data),
        "corrected": unlearning(problem, original),
        "released": unlearning(problem, original, RELEASED),
        "corrected_bf16": unlearning(problem, reduced),
        "empty_pass": lambda: plain.empty_pass(data),
    }
    found = in_turn(ways, rounds)
    starts = {"empty_pass": plain.PASSES_OF_AN_EPOCH}

    def ratios(of: Rounds) -> Figures:
        return {
            "lotus_epoch_fp32": of.ratio("plain", "corrected", starts),
            "lotus_epoch_fp32_released": of.ratio("plain", "released", starts),
            "lotus_epoch_bf16": of.ratio("plain", "corrected_bf16", starts),
        }

    return {
        **found.figures(),
        "images": len(data.forget) + int(plain.RETAIN_SHARE * len(data.retain)),
        "empty_passes_left_out": plain.PASSES_OF_AN_EPOCH,
        "ratios_by_processor": ratios(found.by_processor()),
        "ratios": ratios(found),
    }


def measure_teacher_cache(problem: Problem, rounds: int) -> Figures:
    """Returns seconds of LoTUS on a network for images that are not augmented, its teacher asked or not.

    Args:
        problem: without augmentation.

    """
    original = problem.network()
    ways = {
        "asked_each_batch": unlearning(problem, original, epochs=EPOCHS_OF_A_VIT, kind=Forgetful),
        "asked_once": unlearning(problem, original, epochs=EPOCHS_OF_A_VIT),
    }
    found = in_turn(ways, rounds)
    way = ("asked_each_batch", "asked_once")
    return {
        **found.figures(),
        "epochs": EPOCHS_OF_A_VIT,
        "ratios_by_processor": {"lotus_vit_teacher_cache": found.by_processor().ratio(*way)},
        "ratios": {"lotus_vit_teacher_cache": found.ratio(*way)},
    }
