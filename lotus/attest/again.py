"""Does steps of the plan again in a temporary folder, and holds what comes out against what lies there."""

import importlib
import logging
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lotus import layout
from lotus.attest.compare import compare_files, compare_records, elsewhere, other_code
from lotus.attest.forks import in_forks
from lotus.config.protocol import parse
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan.commands import RUNS, command_of, moved
from lotus.plan.step import Step, flat
from lotus.records.attestations import FAILED, AttestedFile, AttestedStep, worst
from lotus.records.attested_words import WHOLE
from lotus.records.reading import find_record, read_record

log = logging.getLogger(__name__)

Run = Callable[[Sequence[str]], None]
"""Runs the `lotus` command with arguments, in this process."""
RECORDS = ("record", "records")
"""Names of the outputs that are records."""
AUGMENTED = ("train", "forget", "retain")
"""Splits that are seen through random augmentation under E2."""
LOADED = {
    True: ("lotus.runs.train", "lotus.runs.unlearn"),
    False: ("matplotlib.figure", "pandas", "scipy.stats", "sklearn.linear_model"),
}
"""What is loaded once, before the workers are forked: for steps with a model, and for others."""


def do_again(
    steps: Sequence[Step], run: Run, depth: str, device: str, runtime: str, workers: int
) -> list[AttestedStep]:
    """Does steps again, some at a time, and returns what was found of each.

    Args:
        steps: of kinds that `command_of` knows, either with models or without.
        run: the command line, which lies above this module.
        depth: `WHOLE` or `FROM_WEIGHTS`, of steps with a model.
        device, runtime: as `--device` and `--runtime` of `lotus` take them.
        workers: processes at a time.

    """
    if not steps:
        return []
    with_models = steps[0].kind in RUNS
    _load(steps, with_models)
    jobs = [_Job(step, run, depth, device, runtime) for step in steps]
    found: dict[int, AttestedStep] = {}
    for done in in_forks(_one_again, jobs, workers):
        step = done.found or _ended(jobs[done.place], done.exit_code)
        log.info("%s: %s (%.1f s)", shown(step.about), step.finding, step.seconds)
        found[done.place] = step
    return [found[place] for place in range(len(jobs))]


@dataclass(frozen=True)
class _Job:
    """One step to do again; see `do_again`."""

    step: Step
    run: Run
    depth: str
    device: str
    runtime: str

    @property
    def command(self) -> str:
        """The line that does it where it belongs."""
        return shlex.join(["lotus", *self.arguments(_of_depth(self.step, self.depth))])

    def arguments(self, step: Step) -> list[str]:
        """Arguments of `lotus` that do a step on this device."""
        return command_of(step, self.device, self.runtime)


def _ended(job: _Job, exit_code: int | None) -> AttestedStep:
    """Returns the finding on a step whose process ended without a word."""
    why = "killed, or out of memory" if (exit_code or 0) < 0 else "an error"
    return AttestedStep(
        kind=job.step.kind,
        about=about(job.step),
        command=job.command,
        finding=FAILED,
        device="",
        elsewhere="",
        seconds=0.0,
        inputs={},
        files={},
        said=f"its process ended with code {exit_code} ({why})",
    )


def _load(steps: Sequence[Step], with_models: bool) -> None:
    modules = {module for step in steps for module in step.modules}
    for name in (*LOADED[with_models], *sorted(modules)):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise LotusError(f"{name}, which the steps need, cannot be loaded: {error}") from error
    if with_models:
        # As the workflow's own process does, of which its jobs are forked.
        importlib.import_module("lotus.runs.run").load_optimizers()


def _one_again(job: _Job) -> AttestedStep:
    """Does one step again, in a process of its own."""
    step, depth = job.step, job.depth
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lotus-attest-") as folder:
        below = Path(folder).resolve()
        with _quiet(below / "log"):
            there = moved(_of_depth(step, depth), below)
            failure = _failure(job.run, job.arguments(there))
        found = _Compared()
        try:
            if not failure:
                found = _compared(step, below, depth)
        except LotusError as error:
            failure = str(error)
    findings = [file.finding for file in found.files.values()]
    return AttestedStep(
        kind=step.kind,
        about=about(step),
        command=job.command,
        finding=worst([*findings, FAILED] if failure else findings),
        device=found.device,
        elsewhere=found.elsewhere,
        seconds=round(time.monotonic() - begun, 3),
        inputs=found.inputs,
        files=found.files,
        said=failure,
    )


def about(step: Step) -> str:
    """Returns what stands for a step: the folder of a run, the first output of another step."""
    return str(step.told["out"]) if step.kind in RUNS else outputs_of(step)[0]


def outputs_of(step: Step) -> list[str]:
    """Returns what a step writes besides its records."""
    return flat({name: files for name, files in step.outputs.items() if name not in RECORDS})


def records_of(step: Step) -> list[str]:
    """Returns the records that a step writes."""
    return flat({name: files for name, files in step.outputs.items() if name in RECORDS})


def _of_depth(step: Step, depth: str) -> Step:
    """A run that only asks its own weights, where that is the depth."""
    if step.kind not in RUNS or depth == WHOLE:
        return step
    return replace(step, told={**step.told, "weights": ["--weights-of", step.told["out"]]})


def _failure(run: Run, arguments: Sequence[str]) -> str:
    """Runs a command; returns why it failed, in one line, else ''."""
    try:
        run(arguments)
    except LotusError as error:
        return " ".join(str(error).split()) or "without a word"
    # A plug-in, or a damaged input, can raise anything.
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


@dataclass(frozen=True)
class _Compared:
    """Findings on a step that could be done again; see `AttestedStep`."""

    files: dict[str, AttestedFile] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    elsewhere: str = ""
    device: str = ""


def _compared(step: Step, below: Path, depth: str) -> _Compared:
    """Holds what a step wrote below a folder against what lies in the project."""
    # Those that were written again lie outside the project, where only `read_record` looks.
    pairs = [(find_record(Path(path)), read_record(below / path)) for path in records_of(step)]
    differs = next(filter(None, (elsewhere(*pair) for pair in pairs)), "")
    hint = next(filter(None, (other_code(*pair) for pair in pairs)), "")
    is_whole = step.kind not in RUNS or depth == WHOLE
    by_accuracy = None if is_whole else _drawn_anew(step, differs)
    files = {
        path: compare_files(path, below / path, bool(differs), by_accuracy, hint)
        for path in outputs_of(step)
        # The weights were read, not made.
        if is_whole or not path.endswith(layout.MODEL_FILE)
    }
    files |= {
        there.path: compare_records(there, again, bool(differs), is_whole) for there, again in pairs
    }
    read = {path: digest for _, again in pairs for path, digest in again.inputs.items()}
    hardware = pairs[0][1].content["hardware"]
    device = hardware.get("device_name") or hardware.get("device") or ""
    return _Compared(files, read, differs, str(device))


def _drawn_anew(step: Step, differs: str) -> Sequence[str]:
    """Splits of which another device shows other crops to the same model."""
    return AUGMENTED if "device " in differs and parse(step.subject["protocol"]).has("E2") else ()


@contextmanager
def _quiet(log_file: Path) -> Iterator[None]:
    """Sends what a command reports into a file."""
    kept = [os.dup(number) for number in (1, 2)]
    with log_file.open("wb") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        for number, before in zip((1, 2), kept, strict=True):
            os.dup2(before, number)
            os.close(before)
