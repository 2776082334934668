"""Models of users: real images of theirs, a trained network, and the file that they keep it in."""

from collections import OrderedDict

import torch
from own_images import store_of
from pictures import pictures
from PIL import Image
from safetensors.torch import save_file

from lotus.config.scenarios import Scenario
from lotus.data.splits import (
    choose_forget_set,
    halve_held_out,
    save_forget_set,
    save_held_out,
)
from lotus.records.files import sha256
from lotus.runs.run import Inputs

CLASSES = ("ant", "bee", "cat")
SIDE = 32


def inputs_of_pictures(folder):
    """A store made of PNG files, 20 training and 8 test images of each class, and its splits."""
    images = iter(pictures(28 * len(CLASSES), size=SIDE))
    for part, count in (("train", 20), ("test", 8)):
        for name in CLASSES:
            place = folder / "images" / part / name
            place.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(next(images)).save(place / f"{number}.png")
    store = store_of(folder / "images", folder)
    save_held_out(folder / "held-out.json", halve_held_out(store, 1))
    chosen = choose_forget_set(store, Scenario(forget_fraction=0.1), 1)
    save_forget_set(folder / "forget.json", chosen)
    return Inputs(folder / "store", folder / "held-out.json", folder / "forget.json")


def used(network, seed=0):
    """The network with weights and running statistics as after some training."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=generator)
        elif value.is_floating_point():
            value.add_(torch.randn(value.shape, generator=generator), alpha=0.02)
        else:
            value.fill_(7)
    return network.eval()


def kept_in(path, state, prefix="", wrap=lambda state: state, metadata=None):
    """Writes a state as people keep it; returns the `checkpoint` of a configuration."""
    state = OrderedDict((prefix + key, value.clone()) for key, value in state.items())
    if path.suffix == ".safetensors":
        save_file(state, path, metadata)
    else:
        torch.save(wrap(state), path)
    return {"file": str(path), "sha256": sha256(path)}
