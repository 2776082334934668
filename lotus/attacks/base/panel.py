"""The models of a cell, all seeds: what each says of any image, and which images it was trained on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lotus.attacks.base.known import Known, References
from lotus.config.scenarios import are_whole_classes
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL, is_further_gold
from lotus.predictions.predictions_file import ATTACKED, CALIBRATION, Predictions, Split


@dataclass(frozen=True)
class Model:
    """One model: what it says of the images of the data set, and what it was trained on.

    Attributes:
        indices: of all images that it was asked about, ascending; `[n]`.
        logits: `[n, classes]`.
        labels: `[n]`.
        trained: indices of the images that it was trained on, as far as that makes it a reference.
        parts: its splits by name → indices.
        forgets_a_class: whether its forget set is all there is of its classes.

    """

    indices: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    trained: np.ndarray
    parts: Mapping[str, np.ndarray]
    forgets_a_class: bool = False

    @classmethod
    def of(cls, predictions: Predictions) -> "Model":
        """A model by what it said when the attack asked, where that is told apart (E1)."""
        seen = {name: of_attack(predictions, name) for name in predictions if "." not in name}
        parts = {name: split for name, split in seen.items() if name != CALIBRATION}
        indices = np.concatenate([split.indices for split in parts.values()])
        order = np.argsort(indices, kind="stable")
        own = parts.get("train") or parts.get("retain")
        both = [parts[name].labels.tolist() for name in ("forget", "retain") if name in parts]
        return cls(
            indices[order],
            np.concatenate([split.logits for split in parts.values()])[order],
            np.concatenate([split.labels for split in parts.values()])[order],
            np.sort(own.indices) if own is not None else np.empty(0, np.int64),
            {name: split.indices for name, split in parts.items()},
            len(both) == 2 and are_whole_classes(*both),
        )

    def only(self, wanted: np.ndarray) -> "Model":
        """The same of some images, of which it keeps those that it has; saves memory."""
        kept = np.isin(self.indices, wanted)
        return replace(
            self,
            indices=self.indices[kept],
            logits=self.logits[kept],
            labels=self.labels[kept],
        )

    def _place(self, images: np.ndarray) -> np.ndarray:
        place = np.searchsorted(self.indices, images)
        place = np.minimum(place, len(self.indices) - 1)
        if not np.array_equal(self.indices[place], images):
            raise LotusError("was not asked about some of the images")
        return place

    def answers(self, images: np.ndarray) -> np.ndarray:
        """Logits for images; `[n, classes]`.

        Raises:
            LotusError: it was not asked about one of them.

        """
        found: np.ndarray = self.logits[self._place(images)]
        return found

    def labels_of(self, images: np.ndarray) -> np.ndarray:
        """Labels of images; `[n]`."""
        found: np.ndarray = self.labels[self._place(images)]
        return found


def of_attack(predictions: Predictions, name: str) -> Split:
    """A split as the membership attack sees it."""
    return predictions.get(ATTACKED + name, predictions[name])


def is_gold(row: str) -> bool:
    """Whether the models of a row were trained without the forget set, and then left alone."""
    return row == GOLD or is_further_gold(row)


@dataclass(frozen=True)
class Panel:
    """The sound models of a cell.

    Attributes:
        models: (row, seed) → model.

    """

    models: Mapping[tuple[str, int], Model]

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds with a model of which the forget set is known."""
        return list(
            dict.fromkeys(s for (_, s), model in self.models.items() if "forget" in model.parts)
        )

    @property
    def rows(self) -> list[str]:
        """Rows with a sound model, in their order."""
        return list(dict.fromkeys(row for row, _ in self.models))

    def seeds_of(self, row: str) -> list[int]:
        """Seeds of a row's sound models."""
        return [seed for seed in self.seeds if (row, seed) in self.models]

    @cached_property
    def golds(self) -> list[tuple[str, int]]:
        """Row and seed of the gold models."""
        return [key for key in self.models if is_gold(key[0])]

    @cached_property
    def _splitting(self) -> Mapping[int, Model]:
        """Seed → a model that has its splits."""
        having = [(seed, m) for (_, seed), m in self.models.items() if "forget" in m.parts]
        return dict(reversed(having))

    def forget(self, seed: int) -> np.ndarray:
        """Indices of a seed's forget images."""
        return self._splitting[seed].parts["forget"]

    def validation(self, seed: int) -> np.ndarray:
        """Indices of a seed's validation images."""
        return self._splitting[seed].parts["val"]

    def test(self, seed: int) -> np.ndarray:
        """Indices of a seed's test images."""
        return self._splitting[seed].parts["test"]

    def unseen(self, seed: int) -> np.ndarray:
        """Indices of a seed's test images; where a whole class is forgotten, of that class."""
        model, test = self._splitting[seed], self.test(seed)
        if not self.forgets_a_class:
            return test
        forgotten = np.unique(model.labels_of(self.forget(seed)))
        return test[np.isin(model.labels_of(test), forgotten)]

    @cached_property
    def forgets_a_class(self) -> bool:
        """Whether forget sets are whole classes."""
        return all(model.forgets_a_class for model in self._splitting.values())

    def without(self, images: np.ndarray, seeds: Iterable[int]) -> References:
        """Gold models of other seeds; an image is out for those that were not trained on it.

        Args:
            images: indices `[n]`.
            seeds: whose models are left out, since they are attacked or stand on the other side.

        """
        chosen = [self.models[key] for key in self.golds if key[1] not in {*seeds}]
        return self._references(chosen, images, trained=False)

    def trained(self, images: np.ndarray, seeds: Iterable[int]) -> References:
        """Original models of other seeds; an image is in for those that were trained on it."""
        chosen = [
            model
            for (row, seed), model in self.models.items()
            if row == ORIGINAL and seed not in {*seeds}
        ]
        return self._references(chosen, images, trained=True)

    def _references(self, models: list[Model], images: np.ndarray, trained: bool) -> References:
        some = next(iter(self.models.values()))
        classes = some.logits.shape[1]
        logits = [model.answers(images) for model in models]
        usable = [np.isin(images, model.trained) == trained for model in models]
        shape = (len(models), len(images))
        return References(
            np.stack(logits) if logits else np.empty((*shape, classes)),
            some.labels_of(images) if not models else models[0].labels_of(images),
            np.stack(usable) if usable else np.empty(shape, bool),
        )

    def population(self, row: str, seed: int, left_out: Iterable[int]) -> Known:
        """Returns what is known of validation images, which no model was trained on."""
        images, model = self.validation(seed), self.models[row, seed]
        without = self.without(images, left_out)
        originals = self.trained(images, left_out)
        # Of images that no model was trained on all models are alike: none knows them.
        untrained = References(originals.logits, originals.labels, ~originals.usable)
        return Known(model.answers(images), model.labels_of(images), without, untrained)
