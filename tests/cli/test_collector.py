"""Python's collector looks seldom within a command, and as before after it."""

import gc

import pytest

from lotus.cli.collector import SELDOM, seldom_collecting


def test_the_thresholds_are_as_before_after_the_block():
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), seldom_collecting():
        assert gc.get_threshold() == SELDOM
        raise RuntimeError
    assert gc.get_threshold() == before
