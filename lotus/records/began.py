"""When the job of this process began."""

import os
import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

_JOB: ContextVar[datetime | None] = ContextVar("job", default=None)
"""When the present job began, in a process that does several."""


def begin_job() -> None:
    """Notes that a job begins now, in a process that began earlier."""
    _JOB.set(datetime.now(UTC))


def job_began() -> datetime:
    """Returns when the job of this process began: with the process, unless it does several."""
    return _JOB.get() or datetime.now(UTC) - timedelta(seconds=_age())


def _age() -> float:
    """Returns the seconds since this process began."""
    try:
        # Both count from the boot. The time of the boot itself, which psutil adds, is known to a second.
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, AttributeError):
        import psutil

        return time.time() - psutil.Process().create_time()
