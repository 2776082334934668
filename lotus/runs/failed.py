"""What is recorded where a method made no model, so that everything else goes on and the report can say so.

A method that raises, or returns what is no network, would do so again with the same seed. Its run is
recorded as failed: in the model's place stands a network of the same form whose weights are all NaN,
which nobody can take for a model.
"""

import torch
from torch import nn

from lotus.errors import LotusError
from lotus.predictions.collapse import FAILED

LONGEST = 300


class FailedRunError(LotusError):
    """A run was recorded as failed; the message says why."""

    exit_code = 3


def reason(method: str, error: Exception) -> str:
    """Returns in one line why a method made no model, as predictions and records say it."""
    said = " ".join(str(error).split())
    if not isinstance(error, LotusError):
        said = f"method {method} raised {type(error).__name__}: {said}"
    return f"{FAILED}{said[:LONGEST]}"


def no_model(like: nn.Module) -> nn.Module:
    """A network with every weight NaN; `like` itself, in eval mode."""
    with torch.no_grad():
        for value in like.state_dict().values():
            if value.is_floating_point():
                value.fill_(torch.nan)
    return like.eval()
