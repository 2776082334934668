"""What tests of single methods share: rates of the paper, a method run on a task, plain loops."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from lotus.methods.base import configured, registry

LR = 1e-4
LN3 = math.log(3)
SGD = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}


def weights(model):
    return model[-1].weight.detach()


def unlearn(name, task, **given):
    """With the constants that the task's protocol brings."""
    return configured.make(name, registry.constants(name, task.protocol) | given).unlearn(task)


def train_on(model, optimizer, batches):
    for batch in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(batch.images), batch.labels).backward()
        optimizer.step()


class Parameters(nn.Module):
    def __init__(self, *values):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(values))
