"""How many models share a GPU: as told, or by what was measured of such models."""

from pathlib import Path

import pytest
from gpu_holders import GPUS

from lotus.engine.lease import Gpu
from lotus.engine.sharing import Kind, slots_wanted
from lotus.errors import LotusError

GIB = 2**30
GPU = Gpu(0, "GPU-0", 24 * GIB)


def test_the_number_is_the_users_and_one_unless_given():
    assert slots_wanted({}) == 1
    assert slots_wanted({"LOTUS_GPU_SLOTS": "12"}) == 12
    assert slots_wanted({"LOTUS_GPU_SLOTS": "auto"}) is None


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "100", "many", "2\n", "AUTO", "３"])
def test_what_is_no_number_of_models_is_refused(text):
    with pytest.raises(LotusError, match=r"LOTUS_GPU_SLOTS = .* from 1 .* to 99, or auto"):
        slots_wanted({"LOTUS_GPU_SLOTS": text})


def test_one_is_alone_until_one_was_measured(tmp_path):
    kind = Kind(("project", "unlearn", "digits"), tmp_path)
    assert kind.slots_on(GPU) == 1
    kind.note(5 * GIB)
    assert Kind(("project", "unlearn", "digits"), tmp_path).slots_on(GPU) == 4
    assert Kind(("project", "unlearn", "cifar10"), tmp_path).slots_on(GPU) == 1


@pytest.mark.parametrize("taken", [GIB, 5 * GIB, 12 * GIB, 24 * GIB])
def test_so_many_have_room_and_one_more_has_not(tmp_path, taken):
    kind = Kind(("a",), tmp_path)
    kind.note(taken)
    slots = kind.slots_on(GPU)
    assert slots * taken <= GPU.memory < (slots + 1) * taken


def test_no_number_is_beyond_what_a_user_could_say(tmp_path):
    kind = Kind(("a",), tmp_path)
    kind.note(1)
    assert kind.slots_on(GPU) == 99
    kind.note(2 * GPU.memory)
    assert kind.slots_on(GPU) == 1


def test_the_most_counts_until_it_is_forgotten(tmp_path):
    kind = Kind(("a",), tmp_path)
    for taken in (2, 3, 1):
        kind.note(taken)
    assert kind.measured() == 3
    kind.forget()
    kind.forget()
    assert kind.measured() is None


def test_of_models_that_nobody_named_nothing_is_noted(tmp_path):
    kind = Kind((), tmp_path)
    kind.note(1)
    kind.forget()
    assert kind.slots_on(GPUS[0]) == 1
    assert [*Path(tmp_path).iterdir()] == []
