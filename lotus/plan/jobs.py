"""How the workflow calls `lotus`, what it was itself asked for, and on which device models run."""

import _thread
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from lotus import layout, models
from lotus.data.store import is_given
from lotus.engine import asking
from lotus.engine.device import check_name
from lotus.engine.gpus import has_driver, processor_in_words
from lotus.engine.runtime import parse
from lotus.engine.sharing import VARIABLE, slots_wanted
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan.plan import Plan
from lotus.wording import counted


@dataclass(frozen=True)
class Computing:
    """On what the models of a workflow are made.

    Attributes:
        device, runtime: as `--device` and `--runtime` of `lotus` take them. Where there is a GPU, the
            device is one: no job takes the processor because a GPU has failed meanwhile.
        gpus: number of GPUs that the jobs may use; 0: the processor.
        at_once: number of models that are made at a time on all GPUs, by Snakemake's resource `gpu`.
        workers: number of processes for models that stay after a job.
        said: the same in words, for the log.

    """

    device: str
    runtime: str
    gpus: int
    at_once: int
    workers: int
    said: str


def launcher(checkout: Path, in_conda: bool) -> list[str]:
    """The command that runs `lotus` in jobs: this checkout's code, whichever copy is installed.

    Python begins without its libraries (`-S`), in a third of the time: most jobs only ask the warm process.

    Args:
        checkout: folder of the Snakefile.
        in_conda: whether jobs run in conda environments, with the Python of these; else with the one that
            runs the workflow.

    """
    python = "python" if in_conda else sys.executable
    return [python, "-PS", str(checkout / "workflow/run_lotus.py")]


def shell_prefix(command: Sequence[str], warm_process: Path | None = None) -> str:
    """Returns the text that lets shell lines of jobs begin with `lotus`.

    Args:
        command: see `launcher`.
        warm_process: address of a process that does the jobs (`lotus.engine.warm`).

    """
    line = f'lotus() {{ {shlex.join(command)} "$@"; }}; '
    if warm_process is not None:
        line = f"export {asking.VARIABLE}={shlex.quote(str(warm_process))}; {line}"
    # Snakemake formats it with every job's line.
    return line.replace("{", "{{").replace("}", "}}")


def is_batch(arguments: Sequence[str]) -> bool:
    """Whether this process is the Snakemake that does several jobs on a node of a cluster.

    Args:
        arguments: of the process, the program first.

    """
    words = list(arguments)
    if "--local-groupid" not in words or "--target-jobs" not in words:
        return False
    targets = words[words.index("--target-jobs") + 1 :]
    return sum(1 for _ in takewhile(lambda word: not word.startswith("-"), targets)) > 1


def jobs_on(jobs: Iterable[Any]) -> list[str]:
    """Returns what jobs are on, models first: results wait for them.

    Args:
        jobs: Snakemake's; the rules of those on models ask for a GPU, of which there may be none.

    """
    found = {asking.MODELS if "gpu" in job.rule.resources else asking.RESULTS for job in jobs}
    return [what for what in (asking.MODELS, asking.RESULTS) if what in found]


def modules_of_networks(plan: Plan) -> list[str]:
    """Returns the modules of this package that build an experiment's networks, in the order of the grid."""
    used = dict.fromkeys(cell.architecture for cell in plan.cells)
    ours = (models.modules_of(plan.settings.architectures[name])[0] for name in used)
    return list(dict.fromkeys(ours))


PLAIN = re.compile(r"(-c|-j|--cores|--jobs)(=?\d+)?|--config|--configfiles?|-k|--keep-going")
"""Options with which Snakemake does what it is asked for; with others it may only look."""


def has_all_to_do(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for a whole experiment of which nothing is made yet.

    Args:
        arguments: of the process, the program first.

    """
    options = (word for word in arguments[1:] if word.startswith("-"))
    return (
        _is_snakemake(arguments[0])
        and all(PLAIN.fullmatch(option) for option in options)
        and not layout.RESULTS.exists()
        and not asked_targets(arguments)
    )


def asked_targets(arguments: Sequence[str]) -> list[str]:
    """Targets of a command line, which Snakemake tells only after its files are read; none: the default.

    Args:
        arguments: of the process, the program first.

    """
    words = arguments[1:]
    named = {word for word in words if not word.startswith("-") and not word.isdigit()}
    if not _is_snakemake(arguments[0]) or named <= {"all"}:
        return []
    from snakemake.cli import get_argument_parser

    return list(get_argument_parser().parse_known_args(words)[0].targets)


def _is_snakemake(program: str) -> bool:
    # `python -m snakemake` runs a file of its package.
    return Path(program).stem == "snakemake" or Path(program).match("snakemake/__main__.py")


def computing(variables: Mapping[str, str], cores: int | None) -> Computing:
    """Looks at what the models of a workflow are to compute on and how, before the first of them is made.

    Args:
        variables: the user's, of which those count that are read here.
        cores: of the workflow; None: not told.

    Raises:
        LotusError: there is no such device or choice, no GPU where the runtime needs one, or what is wanted
            does not go together.

    """
    device = variables.get("LOTUS_DEVICE", "auto")
    runtime = parse(variables.get("LOTUS_RUNTIME", "default"))
    slots = slots_wanted(variables)
    workers = kept_workers(variables.get("LOTUS_KEPT_WORKERS", "0"))
    if workers and slots is None:
        raise LotusError(
            f"LOTUS_KEPT_WORKERS = {workers} needs a number as {VARIABLE}: a worker makes models of all "
            "kinds in the slot that it keeps, and how many have room differs between kinds"
        )
    check_name(device)
    gpus = number_of_gpus(device)
    if not gpus:
        runtime.refuse_without_cuda()
        chosen = "" if device == "cpu" else f"Models are made on {processor_in_words()}"
        return Computing(device, str(runtime), 0, 1, workers, chosen)
    at_once = max(gpus, cores or 1) if slots is None else gpus * slots
    many = "as many on each as have room" if slots is None else f"at most {slots} on each"
    return Computing(
        device="cuda" if device == "auto" else device,
        runtime=str(runtime),
        gpus=gpus,
        at_once=at_once,
        # Each has a slot of its own, so that none waits for one that another keeps.
        workers=min(workers, at_once),
        said=f"Models are made on {counted(gpus, 'GPU')}, {many} at a time ({VARIABLE})",
    )


def kept_workers(number: str) -> int:
    """Returns how many workers for models stay after a job (`lotus.engine.kept`).

    Raises:
        LotusError: it is no number of processes.

    """
    if not re.fullmatch("[0-9]{1,3}", number):
        raise LotusError(
            f"LOTUS_KEPT_WORKERS = {shown(number)!r}: must be a whole number from 0 (none, the default) "
            "to 999"
        )
    return int(number)


def number_of_gpus(device: str) -> int:
    """Returns how many GPUs models may run on; 0: on the processor.

    Args:
        device: as `--device` of `lotus` takes it.

    """
    # What is named and not there is the jobs' error, which know what else there is.
    named = int(device.startswith("cuda"))
    # Where no driver is loaded, PyTorch need not be, which takes longer than the plan.
    has_none = sys.platform == "linux" and not has_driver()
    if device == "cpu" or ":" in device or has_none:
        return named
    import torch

    return max(named, torch.cuda.device_count() if torch.cuda.is_available() else 0)


def look_when_jobs_end(workflow: Any) -> None:
    """Has Snakemake look for jobs that can start when one has ended, and at no other time.

    So as to hold a limit of jobs a second, which is meant for clusters, it looks again a second after each
    look, as long as jobs wait for a core. Each job that ends begins another such row of looks, and none of
    them ends: after some hundred jobs looking takes a whole core. Here cores are the only limit.

    Args:
        workflow: Snakemake's, whose jobs are about to start on this machine.

    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def hear_the_end_beside_work() -> None:
    """Has a SIGTERM heard in a thread of its own, by what hears it now; called from the main thread.

    Snakemake's way to hear it waits for a lock that the interrupted code may hold, while it notes what a
    job has made: then both would wait for ever.
    """
    hears = signal.getsignal(signal.SIGTERM)
    if callable(hears):
        # Nothing of `threading`, whose own locks the interrupted code may hold as well.
        signal.signal(signal.SIGTERM, lambda *of: _thread.start_new_thread(hears, of))


def raw_files_of_store(
    inputs_of: Callable[[Any], Mapping[str, str]], ancient: Callable[[str], Any]
) -> Callable[[Any], Mapping[str, Any]]:
    """Returns a function of wildcards: the list of raw files that a store is built from.

    Where the store is there and cannot be written, it is read as it is: then no list, or one of any age.

    Args:
        inputs_of: what the step reads, by wildcards.
        ancient: Snakemake's, which has it not look at a file's age.

    """

    def find(wildcards: Any) -> Mapping[str, Any]:
        inputs = inputs_of(wildcards)
        if not is_given(layout.STORES / wildcards.dataset):
            return inputs
        return {key: ancient(path) for key, path in inputs.items() if Path(path).exists()}

    return find
