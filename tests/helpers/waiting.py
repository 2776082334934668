"""Waiting for what another process does."""

import time

WAIT = 120


def wait_until(done):
    end = time.monotonic() + WAIT
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)
