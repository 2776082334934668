"""When the present job began, in a process that does several."""

from contextvars import ContextVar
from datetime import UTC, datetime

_JOB: ContextVar[datetime | None] = ContextVar("job", default=None)


def begin_job() -> None:
    """Notes that a job begins now."""
    _JOB.set(datetime.now(UTC))


def job_began() -> datetime | None:
    """Returns when the present job began; None in a process that does one job, which began with it."""
    return _JOB.get()
