"""Work in forked processes."""

import os
import signal
import time

from lotus.attest.forks import in_forks

seen = []


def work(argument):
    seen.append(argument)
    time.sleep(0.01 * argument)
    return argument, os.getpid(), list(seen)


def die(argument):
    if argument == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if argument == 2:
        os._exit(3)
    return argument


def test_each_piece_has_a_process_of_its_own():
    found = {done.place: done.found for done in in_forks(work, [3, 2, 1, 0], 2)}
    assert {place: argument for place, (argument, _, _) in found.items()} == {
        0: 3,
        1: 2,
        2: 1,
        3: 0,
    }
    assert len({process for _, process, _ in found.values()} | {os.getpid()}) == 5
    assert all(history == [argument] for argument, _, history in found.values())


def test_more_than_a_pipe_holds_comes_through():
    (done,) = in_forks(bytes, [10**6], 1)
    assert len(done.found) == 10**6


def test_one_that_is_killed_is_told_and_the_others_go_on():
    found = {done.place: (done.found, done.exit_code) for done in in_forks(die, range(4), 2)}
    assert found == {0: (0, None), 1: (None, -signal.SIGKILL), 2: (None, 3), 3: (3, None)}


def test_nothing_to_do_is_done():
    assert list(in_forks(work, [], 2)) == []
