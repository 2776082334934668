"""How the workflow calls `lotus`, what it was itself asked for, and on which device models run."""

import re
import shlex
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from lotus.engine import warm
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


def shell_prefix(command: Sequence[str], warm_process: Path | None = None) -> str:
    """Returns the text that lets shell lines of jobs begin with `lotus`.

    Args:
        command: see `launcher`.
        warm_process: address of a process that does the jobs (`lotus.engine.warm`).

    """
    line = f'lotus() {{ {shlex.join(command)} "$@"; }}; '
    if warm_process is not None:
        line = f"export {warm.VARIABLE}={shlex.quote(str(warm_process))}; {line}"
    # Snakemake formats it with every job's line.
    return line.replace("{", "{{").replace("}", "}}")


def is_batch(arguments: Sequence[str]) -> bool:
    """Whether this process is the Snakemake that does a group of jobs on a node of a cluster.

    It starts another one for each of its jobs, which is told of a single job.

    Args:
        arguments: of the process, the program first.

    """
    words = list(arguments)
    if "--local-groupid" not in words or "--target-jobs" not in words:
        return False
    targets = words[words.index("--target-jobs") + 1 :]
    return sum(1 for _ in takewhile(lambda word: not word.startswith("-"), targets)) > 1


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
