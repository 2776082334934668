"""The bench of a method: its task, set up from the files of a run."""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from lotus.config.architectures import Architecture
from lotus.config.images import Dataset
from lotus.config.protocol import Protocol
from lotus.data.batches import Images, ImageSet
from lotus.data.calibration import Calibration, open_calibration
from lotus.data.splits import ForgetSet, HeldOut
from lotus.data.store import Store
from lotus.engine.device import Device
from lotus.engine.progress import Progress
from lotus.errors import LotusError
from lotus.methods.base.task import Task
from lotus.runs.networks import make_network, seen_shape, untrained_architecture
from lotus.runs.originals import load_original
from lotus.runs.run import Inputs, Run, generator_of, read_inputs


@dataclass(frozen=True)
class Bench:
    """An original model and the images of a scenario, loaded: what methods are applied to.

    `images` holds those that a method may see: neither test images nor gold exist in this process while
    a method works. With a calibration set, `val` is of that and validation images are not there either.
    """

    store: Store
    held_out: HeldOut
    chosen: ForgetSet
    architecture: Architecture
    use: Dataset
    images: Images
    val: ImageSet
    calibration: Calibration | None
    original: nn.Module
    device: Device

    def task(self, run: Run, progress: Progress, preparing: Any = nullcontext) -> Task:
        """The task of one run."""
        return Task(
            original=self.original,
            forget=self.images.take(self.chosen.forget),
            retain=self.images.take(self.chosen.retain),
            val=self.val,
            num_classes=len(self.store.classes),
            class_forgetting=self.chosen.class_forgetting,
            generator=generator_of(run, "unlearn", self.device),
            progress=progress,
            # Not a closure over the store, through which a method could read test images.
            untrained=partial(
                make_network,
                untrained_architecture(self.architecture, run.protocol),
                seen_shape(self.store, self.use),
                len(self.store.classes),
                run.derived_seed("untrained"),
                self.device,
            ),
            preparing=preparing,
            protocol=run.protocol,
        )


def set_up(
    inputs: Inputs,
    original: Path,
    device: Device,
    protocol: Protocol,
    network_file: str | None = None,
) -> Bench:
    """Loads an original model by its run's folder, and the images of a scenario.

    Args:
        network_file: see `load_original`.

    Raises:
        LotusError: no forget set, a file is absent or damaged, or calibration images are not like the
            store's.

    """
    store, held_out, chosen = read_inputs(inputs)
    if chosen is None:
        raise LotusError("unlearning needs a forget set")
    architecture, use, model = load_original(original, store, device, network_file)
    reach = np.concatenate([chosen.forget, chosen.retain])
    reduced_first = protocol.has("R2")
    if inputs.calibration is None:
        calibration = None
        reach = np.concatenate([reach, held_out.val])
        images = Images(store, use, device.torch, reach, reduced_first)
        val = images.take(held_out.val)
    else:
        calibration = open_calibration(inputs.calibration, store, use)
        images = Images(store, use, device.torch, reach, reduced_first)
        val = calibration.images(use, device.torch, reduced_first).take(calibration.indices)
    return Bench(
        store, held_out, chosen, architecture, use, images, val, calibration, model, device
    )
