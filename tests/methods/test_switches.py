"""Switches change the methods that name them and no others."""

import pytest

from lotus.config.protocol import CORRECTED, RELEASED, Protocol, of_stage
from lotus.methods.base import configured, registry


@pytest.mark.parametrize("name", registry.available())
def test_switches_that_a_method_does_not_name_do_not_change_it(small_task, snapshot, same, name):
    switches = registry.entry_of(name).switches
    limited = RELEASED.limited_to(switches)
    assert limited == RELEASED
    others = Protocol("corrected", of_stage("method", "metrics", "time", "evaluation") - switches)
    assert others.limited_to(switches) == CORRECTED
    given = {"epochs": 1, "passes": 1, "rounds": 1, "batch_size": 8, "forget_batch_size": 8}
    known = configured.hyperparameters(configured.make(name, {}))
    method = configured.make(name, {key: value for key, value in given.items() if key in known})
    found = [snapshot(method.unlearn(small_task(protocol=p))) for p in (CORRECTED, others)]
    assert same(*found)


@pytest.mark.parametrize("name", registry.available())
def test_every_switch_that_a_method_names_changes_it(small_task, snapshot, same, name):
    # Partial batches under T2; forget images that the original gets right for the temperature.
    given = {"epochs": 2, "rounds": 2, "batch_size": 7, "exit_tolerance": 1, "lr": 0.01}
    given |= {"forget_batch_size": 7, "class_batch_size": 7, "impair_epochs": 1, "alpha": 0.9}
    known = configured.hyperparameters(configured.make(name, {}))
    given = {key: value for key, value in given.items() if key in known}

    def run(protocol):
        chosen = registry.constants(name, protocol) | given
        task = small_task(protocol=protocol, class_forgetting=True)
        return snapshot(configured.make(name, chosen).unlearn(task))

    corrected = run(CORRECTED)
    for switch in sorted(registry.entry_of(name).switches):
        assert not same(corrected, run(Protocol("corrected", frozenset({switch})))), switch
