r"""A real Slurm of one node, from Debian's packages, for the length of a command.

It has a folder, ports and a configuration of its own, and needs neither systemd nor a database of accounts:

    python tests/helpers/slurm.py --gpus 4 -- \
        snakemake --profile profiles/slurm --slurm-status-command squeue

Its GPUs are `/dev/null` by other names. It ends with its command, and also when whoever started it is
killed: one process, the keeper, has all daemons and jobs below it, and ends them when its standard input
closes.
"""

import argparse
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "slurmctld slurmd slurm-client munge"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
PARTITION = "models"
"""The one that no job gets without asking."""
TOLD = ("JobID", "State", "MinMemory", "TimeLimit", "tres-per-job", "Partition", "Comment")
"""What `squeue` is asked of a submission, in its own words."""
MEMORY = 64_000
"""Megabytes that jobs can ask for. None is held to them: that takes control groups."""
PATIENCE = 60.0
"""Seconds until a daemon must answer, or a job be gone."""
ADOPT_ORPHANS = 36
"""Linux's PR_SET_CHILD_SUBREAPER."""

CONFIGURATION = """\
ClusterName=one-node
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2
ReturnToService=2
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
KillWait=5
MinJobAge=3600
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:{gpus}
PartitionName=usual Nodes={host} Default=YES
PartitionName={partition} Nodes={host}
"""


@dataclass(frozen=True)
class Submission:
    """One job of Slurm, as `squeue` tells of it.

    Attributes:
        number: by which Slurm knows it.
        state: PENDING, RUNNING, COMPLETED, CANCELLED, FAILED, …
        memory, time: what it asked for.
        devices: likewise, such as `gres:gpu:1`; N/A without.
        partition: where it waits or ran.
        comment: names the rule or group.

    """

    number: str
    state: str
    memory: str
    time: str
    devices: str
    partition: str
    comment: str


class SlurmError(Exception):
    """Slurm is not installed, or did not start."""


@dataclass(frozen=True)
class Node:
    """A running Slurm.

    Attributes:
        name: of its one node.
        folder: where it has all its files.

    """

    name: str
    folder: Path

    def environment(self, surroundings: Mapping[str, str]) -> dict[str, str]:
        """Environment variables with those by which Slurm's commands find it, also within jobs."""
        return {**surroundings, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def ask(self, *command: str) -> str:
        """Runs one of Slurm's commands and returns what it printed."""
        environment = self.environment(os.environ)
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def submissions(self) -> list["Submission"]:
        """All that was ever submitted, in that order."""
        # Columns as wide as anything that is told, since what is longer is cut off.
        columns = ",".join(f"{name}:500|" for name in TOLD)
        told = self.ask("squeue", "--states=all", "--sort=i", "--noheader", f"--Format={columns}")
        lines = [line.split("|")[: len(TOLD)] for line in told.splitlines()]
        return [Submission(*(told.strip() for told in line)) for line in lines]

    def drain(self) -> None:
        """Has the node take no further jobs; those that run go on."""
        self.ask("scontrol", "update", f"NodeName={self.name}", "State=DRAIN", "Reason=test")

    def resume(self) -> None:
        """Has a drained node take jobs again."""
        self.ask("scontrol", "update", f"NodeName={self.name}", "State=RESUME")


def missing_programs() -> list[str]:
    """Programs of Slurm that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextmanager
def one_node(cores: int, gpus: int) -> Iterator[Node]:
    """A Slurm with one node, which is this machine.

    Raises:
        SlurmError: it is not installed, or did not start.

    """
    missing = missing_programs()
    if missing:
        raise SlurmError(f"no {', '.join(missing)}: apt-get install {PACKAGES}")
    # Its own session, so that a signal to the whole group of the one who asked does not reach it.
    keeper = subprocess.Popen(
        [sys.executable, __file__, "--keep", "--cores", str(cores), "--gpus", str(gpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        folder = keeper.stdout.readline().strip()
        if not folder:
            raise SlurmError("Slurm did not start")
        yield Node(_host(), Path(folder))
    finally:
        keeper.stdin.close()
        keeper.wait()
        keeper.stdout.close()


def keep(cores: int, gpus: int) -> None:
    """Starts Slurm, prints the name of its folder, and ends it when standard input closes."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    # Munge wants its socket to be within reach of all.
    folder.chmod(0o711)
    try:
        configuration = _configure(folder, cores, gpus)
        os.environ["SLURM_CONF"] = str(configuration)
        _start_daemons(folder, configuration)
        sys.stdout.write(f"{folder}\n")
        sys.stdout.flush()
        sys.stdin.read()
    except SlurmError as error:
        sys.exit(f"{error}\n{_logs(folder)}")
    finally:
        with suppress(subprocess.CalledProcessError, SlurmError):
            subprocess.run(["scancel", f"--user={_user()}"], check=True)
            _wait("jobs did not end", lambda: not _said("squeue", "--noheader"))
        _end_children()
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, cores: int, gpus: int) -> Path:
    (folder / "munge.key").touch(0o600)
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    for name in ("state", "spool"):
        (folder / name).mkdir(0o755)
    for number in range(gpus):
        (folder / f"gpu{number}").symlink_to(os.devnull)
    controller, node = _free_ports()
    values = {
        "host": _host(),
        "user": _user(),
        "folder": folder,
        "controller": controller,
        "node": node,
        "cores": cores,
        "gpus": gpus,
        "memory": MEMORY,
        "partition": PARTITION,
    }
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(**values))
    devices = [f"Name=gpu File={folder}/gpu{number}\n" for number in range(gpus)]
    (folder / "gres.conf").write_text("".join(devices))
    return configuration


def _start_daemons(folder: Path, configuration: Path) -> None:
    munged = [
        "munged",
        "--foreground",
        *(f"--{what}-file={folder}/munge.{what}" for what in ("key", "log", "pid", "seed")),
        f"--socket={folder}/munge.socket",
    ]
    with (folder / "daemons.log").open("wb") as log:

        def start(*command: str) -> None:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        start(*munged)
        _wait("munged does not answer", (folder / "munge.socket").exists)
        start("slurmctld", "-D", "-f", str(configuration))
        _wait("slurmctld does not answer", lambda: "UP" in _said("scontrol", "ping"))
        start("slurmd", "-D", "-f", str(configuration))
        _wait("slurmd does not answer", lambda: _said("sinfo", "-h", "-o", "%t") == "idle")


def _end_children() -> None:
    """Ends all processes below this one, orphans included."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    sent, began = signal.SIGTERM, time.monotonic()
    while children := listed.read_text().split():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), sent)
        time.sleep(0.2)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() - began > 5:
            sent = signal.SIGKILL


def _wait(otherwise: str, done: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > PATIENCE:
            raise SlurmError(otherwise)
        time.sleep(0.2)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for it in (one, other):
            it.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _logs(folder: Path) -> str:
    return "\n".join(
        f"{file.name}:\n{file.read_text(errors='replace')[-2000:]}"
        for file in (*folder.glob("*.log"), folder / "slurm.conf")
        if file.is_file()
    )


def main(arguments: Sequence[str]) -> int:
    """Runs a command in a Slurm of its own; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--gpus", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    if asked.keep:
        keep(asked.cores, asked.gpus)
        return 0
    command = asked.command[asked.command[:1] == ["--"] :]
    if not command:
        parser.error("which command is to run in it?")
    # Whoever ends this process ends the command, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with one_node(asked.cores, asked.gpus) as node:
            environment = node.environment(os.environ)
            return subprocess.run(command, env=environment, check=False).returncode
    except SlurmError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
