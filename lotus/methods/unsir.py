"""UNSIR: impair with noise that stands for the forget set, then repair on the retain set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal
from lotus.config.protocol import Protocol
from lotus.data.batches import Batch, ImageSet
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {"rounds": 10, "impair_epochs": 1, "momentum": 0.9, "batch_size": 128}


def _alone(_: Unsir, protocol: Protocol, class_forgetting: bool) -> tuple[str, ...]:
    # As released, batches that are not full are left out, and without one the network stays in eval mode;
    # the corrected instance form never leaves it.
    return ("retain",) if class_forgetting and not protocol.has("M4") else ()


OF_INSTANCES = (
    "rounds",
    "impair_epochs",
    "lr",
    "momentum",
    "noise_lr",
    "noise_steps",
    "batch_size",
)


def _unused(own: Unsir, protocol: Protocol, class_forgetting: bool) -> tuple[str, ...]:
    if class_forgetting and not protocol.has("M4"):
        return OF_INSTANCES
    of_classes = tuple(field.name for field in fields(own) if field.name.startswith("class_"))
    return of_classes if protocol.has("M4") else ("retain_per_class", *of_classes)


@register("unsir", released={"M4": RELEASED}, alone=_alone, unused=_unused)
@dataclass(frozen=True)
class Unsir:
    """Learns noise that is unlike (or opposed to) what is to be forgotten, and trains it in.

    Loss: instances: for each pair of retain batch and forget batch, noise n ~ N(0,1) takes `noise_steps`
        Adam steps up MSE(f(n), f(x_f)), is clamped to the range of images, and one step goes down
        CE(f(n), y_r) + CE(f(x_r), y_r); then repair epochs on CE of the retain set; all in eval mode, so
        that BatchNorm keeps the original's statistics. A class c, in train mode: batches of noise take
        `class_noise_steps` Adam steps down −CE(f(n), c) + λ·mean ‖n‖²; an impair epoch on copies of them
        labelled c and a retain sample, then a repair epoch on it. As released (M4) the instance form
        serves classes too, the noise takes a single step, is clamped to [0, 1], the network is trained
        in train mode, and a retain sample with one random crop of each image serves both phases.
    Reads: instances: the forget set and all retain images; of a class its labels alone, and retain images
        up to a number per class.
    Source: classes: Tarun et al., Fast Yet Effective Machine Unlearning, 2023, with the authors' notebook
        (256 noise images a class, 20 copies, 40 steps; the network there was never set to eval mode);
        it labels the noise of every class 0, the paper and this form c. Instances: Choi and Na, MUFAC
        benchmark, 2023, whose notebook evaluates the network, which sets it to eval mode, before it
        impairs and before it repairs, and repairs on all retain images.
    Not for: forget sets of a few images (instances): noise batches are as large as forget batches.
    """

    rounds: NonNegativeInt = 1
    impair_epochs: NonNegativeInt = 2
    repair_epochs: NonNegativeInt = 1
    lr: PositiveReal = 1e-3
    momentum: NonNegativeReal = 0.0
    noise_lr: PositiveReal = 0.01
    noise_steps: NonNegativeInt = 5
    batch_size: PositiveInt = 64
    retain_per_class: PositiveInt = 1000
    class_impair_epochs: NonNegativeInt = 1
    class_impair_lr: PositiveReal = 0.02
    class_repair_lr: PositiveReal = 0.01
    class_noise_lr: PositiveReal = 0.1
    class_noise_steps: NonNegativeInt = 40
    class_noise_penalty: NonNegativeReal = 0.1
    class_copies: PositiveInt = 20
    class_batch_size: PositiveInt = 256

    def unlearn(self, task: Task) -> nn.Module:
        """Impair, then repair, in the form that the scenario asks for."""
        if task.released("M4"):
            sample = task.retain.of_each_class(self.retain_per_class)
            return self._forget_instances(task, sample.frozen(task.generator))
        if task.class_forgetting:
            return self._forget_class(task, task.retain.of_each_class(self.retain_per_class))
        return self._forget_instances(task, task.retain)

    def _forget_instances(self, task: Task, retain: ImageSet) -> nn.Module:
        student = task.student()
        optimizer = torch.optim.SGD(student.parameters(), self.lr, self.momentum)
        for number in range(self.rounds):
            for _ in range(self.impair_epochs):
                for retained, forgotten in self._pairs(task, retain):
                    noise = self._noise(task, student, forgotten)
                    student.train(task.released("M4"))
                    loss = F.cross_entropy(student(noise), retained.labels)
                    loss = loss + F.cross_entropy(student(retained.images), retained.labels)
                    _descend(optimizer, loss)
            for _ in range(self.repair_epochs):
                for batch in task.shuffled(retain, self.batch_size):
                    _descend(optimizer, F.cross_entropy(student(batch.images), batch.labels))
            task.progress(number, self.rounds, {})
        return student

    def _pairs(self, task: Task, retain: ImageSet) -> Iterator[tuple[Batch, Batch]]:
        """Retain and forget batches of equal size."""
        for retained, forgotten in zip(
            task.shuffled(retain, self.batch_size),
            task.shuffled(task.forget, self.batch_size),
            strict=False,
        ):
            size = min(len(retained.labels), len(forgotten.labels))
            if task.released("M4") and size < self.batch_size:
                continue
            yield _first(retained, size), _first(forgotten, size)

    def _noise(self, task: Task, student: nn.Module, forgotten: Batch) -> Tensor:
        noise = initial_noise(forgotten.images.shape, task.generator).requires_grad_()
        adam = torch.optim.Adam([noise], self.noise_lr)
        for step in range(self.noise_steps):
            outputs = student(noise)
            with torch.no_grad():
                known = student(forgotten.images)
            likeness = -F.mse_loss(outputs, known)
            # The published code leaves the update outside the loop: its last pass alone counts.
            if not task.released("M4") or step == self.noise_steps - 1:
                (noise.grad,) = torch.autograd.grad(likeness, [noise])
                adam.step()
        if task.released("M4"):
            return noise.detach().clamp(0, 1)
        low, high = task.forget.valid_range
        return noise.detach().clamp(low, high)

    def _forget_class(self, task: Task, sample: ImageSet) -> nn.Module:
        student = task.student().train()
        noise, labels = self._class_noise(task, student)
        impair = torch.optim.Adam(student.parameters(), self.class_impair_lr)
        for _ in range(self.class_impair_epochs):
            # Positions beyond the sample are copies of the noise: real images and noise share the batches.
            count = len(sample) + self.class_copies * len(noise)
            for positions in task.deal(count, self.class_batch_size):
                real = sample.draw(positions[positions < len(sample)], task.generator)
                copies = (positions[positions >= len(sample)] - len(sample)) % len(noise)
                images = torch.cat([real.images, noise[copies]])
                targets = torch.cat([real.labels, labels[copies]])
                _descend(impair, F.cross_entropy(student(images), targets))
        repair = torch.optim.Adam(student.parameters(), self.class_repair_lr)
        for epoch in range(self.repair_epochs):
            for batch in task.shuffled(sample, self.class_batch_size):
                loss = F.cross_entropy(student(batch.images), batch.labels)
                _descend(repair, loss)
            task.progress(epoch, self.repair_epochs, {"loss": loss.item()})
        return student

    def _class_noise(self, task: Task, student: nn.Module) -> tuple[Tensor, Tensor]:
        """A batch of noise for each forgotten class, and its labels; BatchNorm's statistics follow it."""
        _, *shape = next(task.forget.in_order(1)).images.shape
        noises, labels = [], []
        for label in task.forget.labels.unique():
            target = label.repeat(self.class_batch_size)
            noise = initial_noise((self.class_batch_size, *shape), task.generator).requires_grad_()
            adam = torch.optim.Adam([noise], self.class_noise_lr)
            for _ in range(self.class_noise_steps):
                loss = opposed(student, noise, target, self.class_noise_penalty)
                (noise.grad,) = torch.autograd.grad(loss, [noise])
                adam.step()
            noises.append(noise.detach())
            labels.append(target)
        return torch.cat(noises), torch.cat(labels)


def opposed(model: nn.Module, noise: Tensor, labels: Tensor, penalty: float) -> Tensor:
    """−CE(f(n), c) + λ·mean_b ‖n_b‖², a scalar: low where the model is sure that n is not c."""
    size = noise.flatten(1).square().sum(1).mean()
    return penalty * size - F.cross_entropy(model(noise), labels)


def initial_noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """N(0, 1) on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def _first(batch: Batch, count: int) -> Batch:
    return Batch(batch.images[:count], batch.labels[:count], batch.positions[:count])


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
