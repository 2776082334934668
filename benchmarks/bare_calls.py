"""The calls of networks that a method makes, written down while it runs and made again without it."""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class Forward:
    """A network is asked about a batch."""

    network: nn.Module
    images: Tensor
    is_training: bool
    with_gradient: bool


@dataclass(frozen=True)
class Backward:
    """What was said since the last backward pass is followed back: to weights, or to the images alone."""

    to_weights: bool


@dataclass(frozen=True)
class Step:
    """An optimizer changes what it was made for."""

    optimizer: torch.optim.Optimizer


class Calls:
    """Calls of networks of one class, in order.

    As a context: within it, `write_down` begins to note calls, until `stop`.
    """

    def __init__(self, network_class: type[nn.Module]) -> None:
        self._class = network_class
        self._calls: list[Forward | Backward | Step] = []
        self._copies: dict[int, Any] = {}
        self._kept: list[object] = []
        self._listens = False
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> "Calls":
        self._backward, self._grad = Tensor.backward, torch.autograd.grad
        Tensor.backward = lambda *given, **named: self._noting_backward(*given, **named)  # type: ignore[method-assign]
        torch.autograd.grad = self._noting_grad
        self._handles = [
            register_module_forward_pre_hook(self._note_forward),
            register_optimizer_step_post_hook(self._note_step),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        Tensor.backward, torch.autograd.grad = self._backward, self._grad  # type: ignore[method-assign]
        for handle in self._handles:
            handle.remove()

    def write_down(self) -> None:
        """Begins to note calls."""
        self._listens = True

    def stop(self) -> None:
        """Ends it; networks and optimizers are copied as they are now."""
        self._listens = False
        self._calls = [self._of_copies(call) for call in self._calls]

    def counts(self) -> dict[str, int]:
        """Returns how many calls there are of each kind."""
        return dict(Counter(type(call).__name__.lower() for call in self._calls))

    def make(self) -> None:
        """Makes all calls again."""
        said: list[Tensor] = []
        images: list[Tensor] = []
        for call in self._calls:
            if isinstance(call, Forward):
                call.network.train(call.is_training)
                with torch.set_grad_enabled(call.with_gradient):
                    answer = call.network(call.images)
                if call.with_gradient:
                    said.append(answer)
                    images.append(call.images)
            elif isinstance(call, Backward):
                loss = sum((_loss(answer) for answer in said), torch.zeros(()))
                if call.to_weights:
                    self._backward(loss)
                else:
                    leaves = [each for each in images if each.requires_grad]
                    for leaf, slope in zip(leaves, self._grad(loss, leaves), strict=True):
                        leaf.grad = slope
                said, images = [], []
            else:
                call.optimizer.step()
                call.optimizer.zero_grad()

    def _note_forward(self, module: nn.Module, inputs: Sequence[Any]) -> None:
        if self._listens and isinstance(module, self._class):
            images = inputs[0]
            # Noise is changed in place by its optimizer, so the object itself says which it was.
            self._kept += [module, images]
            self._calls.append(Forward(module, images, module.training, torch.is_grad_enabled()))

    def _noting_backward(self, loss: Tensor, *arguments: Any, **named: Any) -> None:
        if self._listens:
            self._calls.append(Backward(to_weights=True))
        self._backward(loss, *arguments, **named)

    def _noting_grad(self, loss: Tensor, inputs: Any, *arguments: Any, **named: Any) -> Any:
        if self._listens:
            leaves = [inputs] if torch.is_tensor(inputs) else list(inputs)
            self._calls.append(Backward(to_weights=isinstance(leaves[0], nn.Parameter)))
        return self._grad(loss, inputs, *arguments, **named)

    def _note_step(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        if self._listens:
            self._calls.append(Step(optimizer))

    def _of_copies(self, call: Forward | Backward | Step) -> Forward | Backward | Step:
        """The same call, of copies: the method goes on with its own."""
        if isinstance(call, Forward):
            network = self._copied(call.network, copy.deepcopy)
            return Forward(
                network,
                self._copied(call.images, _copied_batch),
                call.is_training,
                call.with_gradient,
            )
        if isinstance(call, Step):
            return Step(self._copied(call.optimizer, self._copied_optimizer))
        return call

    def _copied(self, thing: Any, by: Callable[[Any], Any]) -> Any:
        if id(thing) not in self._copies:
            self._kept.append(thing)
            self._copies[id(thing)] = by(thing)
        return self._copies[id(thing)]

    def _copied_optimizer(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        """An optimizer like it, for the copies of what it changes."""
        twins: dict[int, Tensor] = {}
        for thing in self._kept:
            twin = self._copies.get(id(thing))
            if isinstance(thing, nn.Module) and twin is not None:
                both = zip(thing.parameters(), twin.parameters(), strict=True)
                twins |= {id(own): other for own, other in both}
            elif torch.is_tensor(thing) and twin is not None:
                twins[id(thing)] = twin
        groups = [
            {**group, "params": [twins[id(each)] for each in group["params"]]}
            for group in optimizer.param_groups
        ]
        return type(optimizer)(groups)  # type: ignore[call-arg]


def _copied_batch(images: Tensor) -> Tensor:
    return images.detach().clone().requires_grad_(images.requires_grad)


def _loss(answer: Tensor) -> Tensor:
    return F.cross_entropy(answer, torch.zeros(len(answer), dtype=torch.long))
