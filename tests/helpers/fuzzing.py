"""How many inputs are made up, and what has to come of each: a result or one clear error, in time.

`FUZZED` is the one setting, the number of inputs of all tests in `tests/fuzz` together: 500 unless the
variable says another number, 10,000 in `make fuzz`.
"""

import contextlib
import faulthandler
import os
import resource
import signal
from pathlib import Path

from hypothesis import HealthCheck, Phase, note, settings

from lotus.errors import LotusError

FUZZED = int(os.environ.get("FUZZED", "500"))
LONGEST = 20
"""Seconds of one input; the slowest that is accepted needs one."""
MOST_MEMORY = 4 << 30
"""Bytes that one input may take besides what the process has."""
LONGEST_LINE = 12_000
"""Characters of one line of an error: of a long value of `mutations.TEXTS`, and of what is accepted."""


def inputs(share):
    """Settings of a test that makes up this share of all inputs.

    Inputs are made smaller only in `make fuzz`, where somebody waits to see what was found.
    """
    phases = [Phase.explicit, Phase.reuse, Phase.generate]
    return settings(
        max_examples=max(1, round(share * FUZZED)),
        deadline=None,
        phases=[*phases, Phase.shrink] if FUZZED > 500 else phases,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=FUZZED > 500,
    )


class HangsError(BaseException):
    """An input takes too long; no `except Exception` swallows it."""


@contextlib.contextmanager
def watched():
    """Ends what hangs, and fails what takes all memory."""

    def stop(*_):
        raise HangsError(f"more than {LONGEST} s")

    before = signal.signal(signal.SIGALRM, stop)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    # What never comes back from C hears no signal: the process ends, and says where it was.
    faulthandler.dump_traceback_later(3 * LONGEST, exit=True)
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_MEMORY, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def result_or_error(work, place=""):
    """Returns what the work gives; None where it is refused.

    Args:
        place: with which each line of an error begins; '' where one line says all.

    """
    with watched():
        try:
            return work()
        except LotusError as error:
            said = str(error)
    note(said)
    lines = said.split("\n")
    for line in lines:
        assert line.strip(), repr(said)
        assert line.isprintable(), repr(line)
        assert len(line) <= LONGEST_LINE, f"{len(line)} characters: {line[:200]!r}"
        assert line.startswith(place), (place, line)
    if not place:
        assert len(lines) == 1, said
    return None


def unchanged(folder, before):
    """Whether a folder has the files that it had: nothing was left half-written."""
    return sorted(os.fspath(path) for path in Path(folder).rglob("*")) == before
