"""How the workflow calls `lotus`, what it was itself asked for, and on which device models run."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lotus.engine.device import check_name
from lotus.engine.runtime import parse
from lotus.errors import LotusError
from lotus.names import shown

DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvgpu", "/dev/nvmap", "/dev/dxg", "/dev/kfd")
"""Devices of Linux's drivers of GPUs that PyTorch can use: NVIDIA's, those of its small boards, of
Windows' Linux, and AMD's."""


def launcher(checkout: Path, in_conda: bool) -> list[str]:
    """The command that runs `lotus` in jobs: this checkout's code, whichever copy is installed.

    Args:
        checkout: folder of the Snakefile.
        in_conda: whether jobs run in conda environments, with the Python of these; else with the one that
            runs the workflow.

    """
    python = "python" if in_conda else sys.executable
    return [python, "-P", str(checkout / "workflow/run_lotus.py")]


def shell_prefix(command: Sequence[str], variables: str = "") -> str:
    """Returns the text that lets shell lines of jobs begin with `lotus`.

    Args:
        command: see `launcher`.
        variables: shell code that stands before it.

    """
    line = f'{variables}lotus() {{ {shlex.join(command)} "$@"; }}; '
    # Snakemake formats it with every job's line.
    return line.replace("{", "{{").replace("}", "}}")


def asked_targets(arguments: Sequence[str]) -> list[str]:
    """Targets of a command line, which Snakemake tells only after its files are read; none: the default.

    Args:
        arguments: of the process, the program first.

    """
    program, words = Path(arguments[0]), arguments[1:]
    # `python -m snakemake` runs a file of its package.
    is_snakemake = program.stem == "snakemake" or program.match("snakemake/__main__.py")
    named = {word for word in words if not word.startswith("-") and not word.isdigit()}
    if not is_snakemake or named <= {"all"}:
        return []
    from snakemake.cli import get_argument_parser

    return list(get_argument_parser().parse_known_args(words)[0].targets)


def runtime_on(device: str, runtime: str) -> str:
    """Looks at what the models of a workflow are to compute on and how, before the first of them is made.

    Args:
        device, runtime: as `--device` and `--runtime` of `lotus` take them.

    Returns:
        The runtime in its shortest words.

    Raises:
        LotusError: there is no such device or choice, or no GPU where the runtime needs one.

    """
    check_name(device)
    chosen = parse(runtime)
    if not uses_gpu(device):
        chosen.refuse_without_cuda()
    return str(chosen)


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


def uses_gpu(device: str) -> bool:
    """Whether models run on a GPU.

    Args:
        device: as `--device` of `lotus` takes it.

    """
    if device != "auto":
        return device.startswith("cuda")
    # Where no driver is loaded, PyTorch need not be, which takes longer than the plan.
    if sys.platform == "linux" and not any(Path(file).exists() for file in DRIVERS):
        return False
    import torch

    return torch.cuda.is_available()


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
