"""Leases of GPUs: never too many on one, none lost however a holder ends, spread before stacking."""

import os
import random
import select
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from multiprocessing import get_context

import gpu_holders
import pytest
from gpu_holders import GPUS, PAUSE, SLOTS, WORD
from project import ROOT

from lotus.engine import lease
from lotus.engine.lease import folder_of_user, take
from lotus.errors import LotusError

WAIT = 60
"""Seconds after which a test takes it that nothing comes any more."""
PROCESSES = get_context("fork")


def at_once(folder, gpus, slots):
    """A lease that has to be there now: takes fail here where they would wait."""

    def too_late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        return take(gpus, lambda _: slots, folder, PAUSE)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def is_full(folder, gpus, slots):
    for gpu in gpus:
        place = lease._look(gpu, slots, folder)
        if place.free > 0:
            return False
    return True


@pytest.fixture
def holders(tmp_path):
    """Function: starts processes that hold a slot for these seconds each."""
    started = []

    def start(durations):
        command = [sys.executable, gpu_holders.__file__, tmp_path, *map(str, durations)]
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=variables, **both))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.communicate()


def words(program):
    """What holders tell, until none is there any more."""
    while select.select([program.stdout], [], [], WAIT)[0]:
        word = os.read(program.stdout.fileno(), WORD.size)
        if not word:
            return
        yield WORD.unpack(word)
    raise AssertionError("nothing happens any more")


def test_sixty_processes_of_which_many_are_killed_never_overfill_a_gpu_and_lose_no_slot(
    tmp_path, holders
):
    chance = random.Random(25)
    program = holders([chance.uniform(0.2, 0.6) for _ in range(60)])
    on, killed, most = {}, set(), Counter()
    for process, gpu, has_come in words(program):
        if process in killed:
            continue
        if not has_come:
            del on[process]
            continue
        on[process] = gpu
        most[gpu] = max(most[gpu], Counter(on.values())[gpu])
        assert most[gpu] <= SLOTS, "too many on one GPU at once"
        if chance.random() < 0.5:
            # From now on its slot may be another's.
            victim = chance.choice([*on][-3:])
            killed.add(victim)
            del on[victim]
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
    ends = Counter(map(int, program.communicate()[1].split()))
    assert min(ends[-signal.SIGKILL], ends[0]) > 5
    assert ends.total() == 60
    # Every slot is there again, and no GPU has more than the others.
    taken = [at_once(tmp_path, GPUS, SLOTS) for _ in range(24)]
    assert Counter(it.gpu.index for it in taken) == dict.fromkeys(range(8), SLOTS)
    assert is_full(tmp_path, GPUS, SLOTS)


def test_leases_are_spread_before_they_are_stacked(tmp_path):
    on = Counter()
    kept = []
    for count in range(1, 25):
        kept.append(at_once(tmp_path, GPUS, SLOTS))
        on[kept[-1].gpu.index] += 1
        assert max(on.values()) - min(on[gpu.index] for gpu in GPUS) <= 1, count
    kept.pop(5).end()
    again = at_once(tmp_path, GPUS, SLOTS)
    assert again.gpu.index == 5


def test_a_gpu_that_is_named_is_waited_for_though_others_are_free(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(lease, "FIRST_WORD", 0.05)
    first = at_once(tmp_path, GPUS[1:2], 1)
    reading, writing = os.pipe()

    def wait():
        caplog.set_level("INFO")
        got = take(GPUS[1:2], lambda _: 1, tmp_path, PAUSE)
        said = [record.getMessage() for record in caplog.records]
        os.write(writing, f"{got.gpu.index} {got.waited > 0.05} {len(said)} {said[0]}".encode())
        os._exit(0)

    waiting = PROCESSES.Process(target=wait)
    waiting.start()
    time.sleep(0.3)
    assert waiting.is_alive()
    assert at_once(tmp_path, GPUS, 1).gpu.index == 0
    first.end()
    waiting.join(WAIT)
    said = os.read(reading, 1000).decode()
    # One line in all, with the process that has the GPU.
    assert said.startswith("1 True 1 waits for a GPU: on GPU 1,")
    assert said.endswith(f"is process {os.getpid()}")


@pytest.mark.parametrize(("first", "second"), [(1, 3), (3, 1)])
def test_who_has_to_be_alone_is_alone(tmp_path, first, second):
    only = GPUS[:1]
    here = at_once(tmp_path, only, first)
    assert is_full(tmp_path, only, second)
    here.end()
    assert at_once(tmp_path, only, second).slots == second


def test_the_least_number_counts_only_while_its_job_is_there(tmp_path):
    only = GPUS[:1]
    of_two = at_once(tmp_path, only, 2)
    others = [at_once(tmp_path, only, 5)]
    assert is_full(tmp_path, only, 5)
    of_two.end()
    others += [at_once(tmp_path, only, 5) for _ in range(4)]
    assert is_full(tmp_path, only, 5)


def test_what_a_holder_has_started_keeps_no_slot_after_it(tmp_path):
    reading, writing = os.pipe()

    def hold():
        own = at_once(tmp_path, GPUS[:1], 1)
        child = os.fork()
        if child == 0:
            time.sleep(WAIT)
        assert own.gpu == GPUS[0]
        os.write(writing, struct.pack("i", child))
        time.sleep(WAIT)

    holding = PROCESSES.Process(target=hold)
    holding.start()
    (child,) = struct.unpack("i", os.read(reading, 4))
    try:
        assert is_full(tmp_path, GPUS[:1], 1)
        holding.kill()
        holding.join()
        os.kill(child, 0)
        assert at_once(tmp_path, GPUS[:1], 1).gpu == GPUS[0]
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_folder_is_the_same_whatever_the_variables_and_open_to_its_user_alone(
    tmp_path, monkeypatch
):
    found = folder_of_user(tmp_path)
    assert found.stat().st_mode & 0o777 == 0o700
    assert str(os.getuid()) in found.name
    monkeypatch.setenv("TMPDIR", str(tmp_path / "other"))
    assert folder_of_user(tmp_path) == found


@pytest.mark.parametrize("what", ["open", "file", "link"])
def test_a_folder_that_others_could_have_made_is_refused(tmp_path, what):
    place = folder_of_user(tmp_path)
    if what == "open":
        place.chmod(0o755)
    else:
        place.rmdir()
        (tmp_path / "else").mkdir(mode=0o700)
        if what == "file":
            place.touch(mode=0o700)
        else:
            place.symlink_to("else")
    with pytest.raises(LotusError, match="a folder of this user alone"):
        folder_of_user(tmp_path)
