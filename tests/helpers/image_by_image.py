"""The published evaluation, written as a loop."""

import torch

from lotus.engine import inference


def one_at_a_time(model, images, augmented=None):
    """The published evaluation: batches of one."""
    with torch.no_grad():
        rows = [
            model(image[None])
            for batch in images.in_order(inference.DRAWN_AT_ONCE, augmented)
            for image in batch.images
        ]
    return torch.cat(rows).numpy()
