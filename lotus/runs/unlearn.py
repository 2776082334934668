"""Unlearned models: one method, applied to one original model."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lotus import models
from lotus.engine.failures import explained_failures, is_of_the_machine
from lotus.methods.base import checks, configured, registry
from lotus.runs import failed
from lotus.runs.bench import set_up
from lotus.runs.networks import untrained_architecture
from lotus.runs.recording import Asked, record_run
from lotus.runs.run import MODEL, RECORD, EpochLog, Inputs, Run, seed_layers, start
from lotus.runs.taken_over import take_over_weights, weight_switches

log = logging.getLogger(__name__)


def unlearn_run(
    inputs: Inputs,
    run: Run,
    original: Path,
    method_name: str,
    hyperparameters: Mapping[str, Any],
    weights_of: Path | None = None,
    plugins: Sequence[str] = (),
    network_file: str | None = None,
) -> None:
    """Applies a method to an original model.

    Args:
        original: folder of the original's run; its record says how to build the model.
        hyperparameters: the method's fields; for the rest the constants that switches of the protocol
            bring, and the method's defaults.
        weights_of: another run with the same weights, of which only predictions are to be made anew.
        plugins: modules of the plug-ins that are loaded; they are part of its code.
        network_file: see `load_original`.

    Raises:
        FailedRunError: the method made no model; that is recorded in the model's place.

    """
    constants = registry.constants(method_name, run.protocol)
    method = configured.make(method_name, constants | dict(hyperparameters))
    clock, device = start(run, "unlearn")
    with clock.phase("prepare"):
        bench = set_up(inputs, original, device, run.protocol, network_file)
    settings = {
        "method": method_name,
        "hyperparameters": configured.hyperparameters(method),
        "protocol": run.protocol.name,
        **run.apart,
    }
    if bench.calibration is not None:
        settings["calibration"] = bench.calibration.store.source["dataset"]
    log.info("unlearn: %s", json.dumps({**settings, "seed": run.seed, **device.hardware}))
    notes: dict[str, Any] = {
        "forget_set": {
            "rule": bench.chosen.rule,
            "digest": bench.chosen.digest,
            "images": len(bench.chosen.forget),
        }
    }
    why = ""
    if weights_of is None:
        epochs = EpochLog(method_name)
        progress = checks.CheckedProgress(method_name, epochs)
        task = bench.task(run, progress, lambda: clock.phase("method_prepare"))
        seed_layers(run, "unlearn")
        try:
            with clock.phase("unlearn"), explained_failures(f"method {method_name}"):
                unlearned = method.unlearn(task)
            checks.check_returned(method_name, unlearned, task)
            saved = models.read_weights(original / MODEL)
            checks.check_original(method_name, bench.original, saved)
        # Whatever a method of a user's own making raises.
        except Exception as error:
            if is_of_the_machine(error):
                raise
            log.exception("recorded as a failed run")
            why = failed.reason(method_name, error)
            # Not what is at hand: the method may have changed the images, or the original's layers.
            bench = set_up(inputs, original, device, run.protocol, network_file)
            unlearned = failed.no_model(bench.original)
        clock.move("unlearn", "method_prepare")
        notes |= {"epochs": epochs.epochs, "left_in_train_mode": unlearned.training}
    else:
        unlearned = bench.original
        mine = {"calibration": None, "seeds_apart": {}, **settings, "seed": run.seed}
        mine["switches"] = weight_switches(run.protocol)
        del mine["protocol"]
        taken = take_over_weights(weights_of, mine, [*inputs.files(), original / MODEL], unlearned)
        seconds, why = taken.pop("seconds"), taken.pop("failed", "")
        notes |= taken
        unlearned.train(notes["left_in_train_mode"])
        for phase in ("unlearn", "method_prepare"):
            clock.seconds[phase] = seconds.get(phase, 0.0)
    if "R1" in registry.entry_of(method_name).released:
        preparation = clock.seconds.get("method_prepare", 0.0)
        notes["minutes_released_r1"] = round(clock.seconds["unlearn"] / 60 + preparation, 4)
    entered = [__name__, registry.module_of(method_name), *models.modules_of(bench.architecture)]
    modules = [*dict.fromkeys([*entered, *plugins])]
    also_read = [weights_of / MODEL] if weights_of is not None else []
    if weights_of is None and "M7" in registry.entry_of(method_name).released:
        also_read = models.weights_files(untrained_architecture(bench.architecture, run.protocol))
    record_run(
        "unlearned",
        inputs,
        run,
        device,
        clock,
        unlearned,
        bench.images,
        Asked(bench.store, bench.use, bench.held_out, bench.chosen, bench.calibration),
        settings=settings,
        modules=modules,
        extra=[original / MODEL, original / RECORD, *also_read],
        notes=notes,
        failed=why,
    )
    if why:
        raise failed.FailedRunError(f"{run.out}: {why}; this run is recorded as failed")
