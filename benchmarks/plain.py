"""The baseline: evaluation and one LoTUS epoch in plain PyTorch, built as research code of this kind is.

Written here after a description of what the paper's published code does (commit 35ae25e of its
repository), not after that code: no line of it is copied or translated. What it has to do is said by the
register of switches (`lotus protocols`, `docs/reproduction-notes.md`):

- The membership attack comes first and reads retain, forget, test and validation images one at a time,
  in the mode in which the method left the model (switch E1).
- In every pass forget and retain images go through the training augmentation (switch E2).
- Then comes RF-JSD, in eval mode, in batches of 2048: the unlearned model on forget images, the original
  on test images. Then JSD, one image at a time: the unlearned model and gold on the same crops. Last are
  the accuracies of retain, forget, test and validation images (analysis of the published code, as below).
- Each metric reads its images anew (`lotus.runs.recording.ask` says how this package departs from it).
- LoTUS reads each image of its union twice, and before an epoch the forget set, augmented (switch M8). Both
  Gumbel targets are drawn for all rows, and then selected (analysis).

"Analysis" is this project's description of that code, from which the switches were made too.
Assumed, since nothing here says it: every loader has the same number of workers (4), accuracies are
taken in the training's batches (128), and the loaders end with their pass.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from problem import Problem
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset
from torchvision import transforms

WORKERS = 4
PASSES_OF_AN_EVALUATION = 11
PASSES_OF_AN_EPOCH = 3
BATCH, RF_JSD_BATCH = 128, 2048
RETAIN_SHARE, ALPHA, LR, WEIGHT_DECAY = 0.3, 2.0, 1e-4, 5e-4
SMALLEST = 1e-8

# That the processors may be fewer than the workers: so it is as published.
warnings.filterwarnings("ignore", message="This DataLoader will create")

Pairs = Dataset[tuple[Tensor, int]]


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images in memory, each made a picture and transformed when it is asked for."""

    def __init__(
        self, pixels: np.ndarray, labels: np.ndarray, transform: Callable[[Image.Image], Tensor]
    ) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[place])), int(self.labels[place])


class Marked(Dataset[tuple[Tensor, int, int]]):
    """The union of forget and retain images; each also says of which it is."""

    def __init__(self, forget: Pairs, retain: Pairs) -> None:
        self.both, self.forgotten = ConcatDataset([forget, retain]), len(forget)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.both)

    def __getitem__(self, place: int) -> tuple[Tensor, int, int]:
        # Twice, as published: once for the image, once for its label.
        image, label = self.both[place][0], self.both[place][1]
        return image, label, int(place < self.forgotten)


@dataclass(frozen=True)
class Sets:
    """The four parts of a problem, read as the published code reads them."""

    retain: Pairs
    forget: Pairs
    test: Pairs
    val: Pairs


def sets(problem: Problem, augmented: bool = True) -> Sets:
    """Data sets of a problem; forget and retain images are augmented in every pass (E2)."""
    store, use = problem.store, problem.use
    plain = [transforms.ToTensor(), transforms.Normalize(store.mean, store.std)]
    crop = transforms.RandomCrop(problem.shape[1:], padding=use.augmentation.crop_padding)
    changed = transforms.Compose([crop, *plain] if augmented else plain)

    def of(places: np.ndarray, transform: Callable[[Image.Image], Tensor]) -> Pairs:
        return Pictures(np.asarray(store.images[places]), store.labels[places], transform)

    chosen, held_out, clean = problem.chosen, problem.held_out, transforms.Compose(plain)
    return Sets(
        of(chosen.retain, changed),
        of(chosen.forget, changed),
        of(held_out.test, clean),
        of(held_out.val, clean),
    )


def evaluate(
    unlearned: nn.Module, gold: nn.Module, original: nn.Module, data: Sets
) -> dict[str, float]:
    """All numbers of one unlearned model, in the published order; the attack changes one in train mode."""
    found = {"mia": _membership(unlearned, data)}
    for model in (unlearned, gold, original):
        model.eval()
    found["rf_jsd"] = _rf_jsd(unlearned, original, data)
    found["jsd"] = _jsd(unlearned, gold, data.forget)
    for name in ("retain", "forget", "test", "val"):
        found[f"{name}_accuracy"] = accuracy(unlearned, getattr(data, name))
    return found


def _membership(model: nn.Module, data: Sets) -> float:
    retain, forget, test, val = (
        _entropies(model, part) for part in (data.retain, data.forget, data.test, data.val)
    )
    known = np.concatenate([retain, test, val])[:, None]
    member = np.repeat([1, 0], [len(retain), len(test) + len(val)])
    attack = LogisticRegression(class_weight="balanced").fit(known, member)
    return float(attack.predict(forget[:, None]).mean())


def _entropies(model: nn.Module, part: Pairs) -> np.ndarray:
    """One image at a time."""
    found = []
    with torch.no_grad():
        for images, _ in _loader(part, 1):
            said = F.softmax(model(images), dim=1)
            found.append(torch.special.entr(said).sum(1).item())
    return np.array(found)


def _rf_jsd(unlearned: nn.Module, original: nn.Module, data: Sets) -> float:
    first, second = (
        _class_means(model, part)
        for model, part in ((unlearned, data.forget), (original, data.test))
    )
    shared = sorted(set(first) & set(second))
    return _divergence(*(torch.stack([means[c] for c in shared]) for means in (first, second)))


def _class_means(model: nn.Module, part: Pairs) -> dict[int, Tensor]:
    said, labels = [], []
    with torch.no_grad():
        for images, targets in _loader(part, RF_JSD_BATCH):
            said.append(F.softmax(model(images), dim=1))
            labels.append(targets)
    rows, of = torch.cat(said), torch.cat(labels)
    return {int(label): rows[of == label].mean(0) for label in of.unique()}


def _jsd(unlearned: nn.Module, gold: nn.Module, forget: Pairs) -> float:
    said: list[list[Tensor]] = [[], []]
    with torch.no_grad():
        for images, _ in _loader(forget, 1):
            for rows, model in zip(said, (unlearned, gold), strict=True):
                rows.append(F.softmax(model(images), dim=1))
    return _divergence(*(torch.cat(rows) for rows in said))


def _divergence(first: Tensor, second: Tensor) -> float:
    first, second = (rows.clamp(SMALLEST, 1) for rows in (first, second))
    first, second = first / first.sum(), second / second.sum()
    middle = (first + second) / 2
    towards = [F.kl_div(rows.log(), middle, reduction="batchmean") for rows in (first, second)]
    return float(sum(towards)) / 2


def accuracy(model: nn.Module, part: Pairs) -> float:
    """Share of images that a model in eval mode gets right, in batches of the training."""
    right = 0
    with torch.no_grad():
        for images, labels in _loader(part, BATCH):
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(part)  # type: ignore[arg-type]


def lotus(original: nn.Module, student: nn.Module, data: Sets, epochs: int = 1) -> None:
    """LoTUS in place, as published, without its early end: there would be nothing to time."""
    chosen = torch.randperm(len(data.retain))[: int(RETAIN_SHARE * len(data.retain))]  # type: ignore[arg-type]
    union = Marked(data.forget, Subset(data.retain, chosen.tolist()))
    optimizer = torch.optim.AdamW(student.parameters(), LR, weight_decay=WEIGHT_DECAY)
    original.eval()
    unseen = round(accuracy(original, data.val), 2)
    for _ in range(epochs):
        student.eval()
        gap = round(accuracy(student, data.forget), 2) - unseen
        temperature = float(np.exp(ALPHA * gap))
        student.train()
        for images, _, forgotten in _loader(union, BATCH, shuffle=True):
            with torch.no_grad():
                taught = original(images)
            hard = F.gumbel_softmax(taught, tau=1, hard=True)
            soft = F.gumbel_softmax(taught, tau=temperature)
            target = torch.where(forgotten[:, None].bool(), soft, hard)
            loss = F.cross_entropy(student(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    student.eval()


def empty_pass(data: Sets) -> None:
    """A pass over one image: what starting and ending the workers costs."""
    for _ in _loader(Subset(data.test, [0]), 1):
        pass


def _loader(part: Dataset, size: int, shuffle: bool = False) -> DataLoader:  # type: ignore[type-arg]
    return DataLoader(part, batch_size=size, shuffle=shuffle, num_workers=WORKERS)
