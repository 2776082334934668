"""Chooses the images to train on, forget, keep and hold out; each choice is an artifact of its own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.config.scenarios import Scenario, are_whole_classes
from lotus.config.seeds import drawn_by
from lotus.data.forget_lists import forget_listed, without_retain_images
from lotus.data.forget_rules import Known, forget_by_rule, read_known
from lotus.data.store import Store, open_store, read_names
from lotus.errors import LotusError, choices
from lotus.formats.json_text import parse_json, read_file
from lotus.names import composed, shown
from lotus.records.files import write_json
from lotus.records.record import write_record


@dataclass(frozen=True)
class HeldOut:
    """The held-out part cut in two. Indices into the store, ascending."""

    val: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class ForgetSet:
    """The training part cut in two. Indices into the store, class after class, in data-set order.

    Attributes:
        class_forgetting: the forget set is all there is of its classes.
        absent: training images in neither, which the models of a half were never trained on.

    """

    rule: str
    forget: np.ndarray
    retain: np.ndarray
    class_forgetting: bool
    absent: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def digest(self) -> str:
        """sha256 of the forget indices (int64, little endian): names the forget set."""
        return hashlib.sha256(self.forget.astype("<i8").tobytes()).hexdigest()


def halve_held_out(store: Store, seed: int) -> HeldOut:
    """Stratified halves of the held-out part by seed, as released (StratifiedShuffleSplit).

    So the seed changes which images are validated and tested on, as in the published experiments. Where
    the publisher has a validation part of its own (MUFAC), that and the test part are taken whole.

    Raises:
        LotusError: the data set is for calibration only; a class has a single held-out image.

    """
    _refuse_calibration(store)
    if store.has_val:
        return HeldOut(store.part("val"), store.part("test"))
    from sklearn.model_selection import StratifiedShuffleSplit

    held_out = store.part("test")
    counts = np.bincount(store.labels[held_out], minlength=len(store.classes))
    if problem := cannot_be_halved(store.classes, counts.tolist()):
        raise LotusError(problem)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=0.5, random_state=seed)
    val, test = next(splitter.split(held_out, store.labels[held_out]))
    return HeldOut(np.sort(held_out[val]), np.sort(held_out[test]))


def draw_half(store: Store, seed: int) -> np.ndarray:
    """A random half of the training images of each class; indices into the store, ascending.

    Seeds 2k and 2k + 1 draw halves that have no image in common and together all of them: among the halves
    of successive seeds each image is in every second one.

    Raises:
        LotusError: the data set is for calibration only, or a class has a single training image.

    """
    _refuse_calibration(store)
    train = store.part("train")
    rng = np.random.default_rng(seed // 2)
    half: list[np.ndarray] = []
    for label, name in enumerate(store.classes):
        drawn = rng.permutation(train[store.labels[train] == label])
        if len(drawn) == 1:
            raise LotusError(
                f"class {shown(name)}: one training image cannot be halved; at least 2 are needed"
            )
        middle = len(drawn) // 2
        half.append(drawn[:middle] if seed % 2 == 0 else drawn[middle:])
    return np.sort(np.concatenate(half))


def within_half(chosen: ForgetSet, half: np.ndarray) -> ForgetSet:
    """The part of a forget and a retain set that is in a half of the training images.

    Raises:
        LotusError: one of them has no image in the half.

    """
    kept, others = (
        {
            name: ids[np.isin(ids, half, invert=is_other)]
            for name, ids in (("forget", chosen.forget), ("retain", chosen.retain))
        }
        for is_other in (False, True)
    )
    if problem := empty_set(len(kept["forget"]), sum(map(len, kept.values()))):
        raise LotusError(f"a half of the training images: {problem}")
    return ForgetSet(
        f"{chosen.rule}, of these those in a half of the training images",
        kept["forget"],
        kept["retain"],
        chosen.class_forgetting,
        np.concatenate([*others.values()]),
    )


def choose_forget_set(
    store: Store, scenario: Scenario, seed: int, known: Known | None = None
) -> ForgetSet:
    """The forget set of a scenario.

    - `forget_fraction` with rule `first`: the first int(fraction · n) images of every class, as
      released; the seed plays no part.
    - `forget_per_class`: the first so many of every class, as released for ImageNet.
    - either with another rule: see `forget_by_rule`.
    - `forget_first`: the first so many training images, as released for MUFAC.
    - `forget_class`: all training images of the class.
    - single images by a list, by columns or by patterns of names: see `forget_listed`.

    Args:
        known: losses or hashes of the training images, for the rules that go by these.

    Raises:
        LotusError: the data set is for calibration only or lacks the class, the forget or retain set
            would be empty, or as `forget_by_rule`, `forget_listed` and `read_names`.

    """
    _refuse_calibration(store)
    train = store.part("train")
    labels = store.labels[train]
    by_class = [train[labels == label] for label in range(len(store.classes))]
    if scenario.forget_class is not None:
        label = class_label(store.classes, scenario.forget_class)
        rule = f"all training images of the class {store.classes[label]}"
        forget = by_class[label]
    elif scenario.forget_first is not None:
        rule = f"the first {scenario.forget_first} training images in data-set order"
        first = train[: scenario.forget_first]
        forget = np.concatenate([ids[np.isin(ids, first)] for ids in by_class])
    elif scenario.is_listed:
        rule, listed = forget_listed(scenario, read_names(store), store.source["parts"])
        forget = np.concatenate([ids[np.isin(ids, listed)] for ids in by_class])
        rule += without_retain_images(store.classes, by_class, listed)
    else:
        rule, forget = forget_by_rule(scenario, by_class, seed, known)
    retain = np.concatenate([ids[~np.isin(ids, forget)] for ids in by_class])
    if problem := empty_set(len(forget), len(train)):
        raise LotusError(f"scenario {scenario.canonical_name}: {problem}")
    is_whole = are_whole_classes(store.labels[forget].tolist(), store.labels[retain].tolist())
    return ForgetSet(rule, forget, retain, is_whole)


NO_TRAINING = "has no training images: it is for calibration only; train on another data set"


def _refuse_calibration(store: Store) -> None:
    if not store.has_train:
        raise LotusError(f"{store.source.get('dataset', store.folder)}: {NO_TRAINING}")


def cannot_be_halved(classes: Sequence[str], held_out: Sequence[int]) -> str:
    """Returns why held-out images, so many of each class, have no stratified halves; '' if they have."""
    if 1 not in held_out:
        return ""
    name = classes[held_out.index(1)]
    return f"class {shown(name)}: one held-out image cannot be halved; at least 2 are needed"


def empty_set(forgotten: int, total: int) -> str:
    """Returns why so many forgotten training images leave one of the sets empty; '' if they do not."""
    if 0 < forgotten < total:
        return ""
    return (
        f"leaves {forgotten} forget and {total - forgotten} retain images of {total}; both sets need at "
        "least one"
    )


def class_label(classes: tuple[str, ...], name: str) -> int:
    """Label of a class by its name, as it is written, in either form of Unicode.

    Raises:
        LotusError: there is no such class, or two of this name.

    """
    labels = [label for label, known in enumerate(classes) if composed(known) == composed(name)]
    if not labels:
        raise LotusError(f"there is no class {name!r}; {choices(name, classes)}")
    if len(labels) > 1:
        raise LotusError(f"{len(labels)} classes are called {name!r}; each needs its own name")
    return labels[0]


def write_held_out(
    folder: Path, seed: int, out: Path, record: Path, split_seed: int | None = None
) -> None:
    """Writes the halves of a store, and their record.

    Args:
        split_seed: by which they are drawn; by default the seed.

    Raises:
        LotusError: as `halve_held_out`, or the store is damaged.

    """
    store = open_store(folder)
    save_held_out(out, halve_held_out(store, seed if split_seed is None else split_seed))
    write_record(
        record,
        kind="held-out",
        modules=[__name__],
        about={"dataset": store.source["dataset"], "seed": seed},
        settings=drawn_by(split_seed),
        inputs=[folder / "source.json", folder / "labels.npy"],
        outputs=[out],
    )


def write_half(folder: Path, seed: int, out: Path, record: Path) -> None:
    """Writes a half of a store's training images, and its record.

    Raises:
        LotusError: as `draw_half`, or the store is damaged.

    """
    store = open_store(folder)
    write_json(out, {"train": draw_half(store, seed).tolist()})
    write_record(
        record,
        kind="half",
        modules=[__name__],
        about={"dataset": store.source["dataset"], "seed": seed},
        settings={},
        inputs=[folder / "source.json", folder / "labels.npy"],
        outputs=[out],
    )


def load_half(path: Path) -> np.ndarray:
    """Reads what `write_half` wrote.

    Raises:
        LotusError: absent or damaged.

    """
    return _indices(path, _read(path, ("train",))["train"])


def write_forget_set(
    folder: Path,
    scenario: Scenario,
    seed: int,
    labels: Mapping[str, Any],
    out: Path,
    record: Path,
    half: Path | None = None,
    split_seed: int | None = None,
    known: Path | None = None,
) -> None:
    """Writes the forget set of a scenario, and its record.

    Args:
        split_seed: by which it is drawn; by default the seed.
        labels: name of the scenario, …: for the record only.
        half: of the training images; what is forgotten and kept is limited to it.
        known: losses or hashes of the training images, for the rules that go by these.

    Raises:
        LotusError: as `choose_forget_set`, or the store is damaged.

    """
    store = open_store(folder)
    own = seed if split_seed is None else split_seed
    chosen = choose_forget_set(store, scenario, own, read_known(known, store, scenario))
    if half is not None:
        chosen = within_half(chosen, load_half(half))
    save_forget_set(out, chosen)
    listed = [Path(scenario.forget_list)] if scenario.forget_list is not None else []
    if scenario.is_listed and "names" in store.source:
        listed.append(folder / layout.NAMES_FILE)
    write_record(
        record,
        kind="forget-set",
        modules=[__name__],
        about={"dataset": store.source["dataset"], **labels, "seed": seed},
        settings={**scenario.model_dump(exclude_none=True), **drawn_by(split_seed)},
        inputs=[
            folder / "source.json",
            folder / "labels.npy",
            *filter(None, (half, known)),
            *listed,
        ],
        outputs=[out],
        notes={"rule": chosen.rule, "digest": chosen.digest, "images": len(chosen.forget)},
    )


def save_held_out(path: Path, held_out: HeldOut) -> None:
    """Writes the halves as JSON."""
    write_json(path, {name: ids.tolist() for name, ids in asdict(held_out).items()})


def load_held_out(path: Path) -> HeldOut:
    """Reads what `save_held_out` wrote.

    Raises:
        LotusError: absent or damaged.

    """
    content = _read(path, ("val", "test"))
    return HeldOut(_indices(path, content["val"]), _indices(path, content["test"]))


def save_forget_set(path: Path, chosen: ForgetSet) -> None:
    """Writes rule, kind, digest and indices as JSON."""
    write_json(
        path,
        {
            "rule": chosen.rule,
            "class_forgetting": chosen.class_forgetting,
            "digest": chosen.digest,
            "forget": chosen.forget.tolist(),
            "retain": chosen.retain.tolist(),
            **({"absent": chosen.absent.tolist()} if len(chosen.absent) else {}),
        },
    )


def load_forget_set(path: Path) -> ForgetSet:
    """Reads what `save_forget_set` wrote.

    Raises:
        LotusError: absent, damaged, of an older version, which did not say whether a whole class is
            forgotten, or its indices do not have the digest it states.

    """
    content = _read(path, ("rule", "digest", "forget", "retain"))
    if not isinstance(content.get("class_forgetting"), bool):
        raise LotusError(
            f"{path}: does not say whether a whole class is forgotten (class_forgetting: true or false), "
            "so an older version wrote it; make it again"
        )
    chosen = ForgetSet(
        content["rule"],
        _indices(path, content["forget"]),
        _indices(path, content["retain"]),
        content["class_forgetting"],
        _indices(path, content.get("absent", [])),
    )
    if chosen.digest != content["digest"]:
        raise LotusError(
            f"{path}: forget indices do not have the digest that it states; make it again"
        )
    return chosen


def _indices(path: Path, values: list[int]) -> np.ndarray:
    # NumPy would take 1.5, "1" and true for the image 1.
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise LotusError(f"{path}: indices must be integers, in a list; make it again")
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError as error:
        raise LotusError(f"{path}: indices must be integers: {error}; make it again") from error


def _read(path: Path, keys: tuple[str, ...]) -> dict:  # type: ignore[type-arg]
    try:
        content = parse_json(read_file(path))
    except OSError as error:
        raise LotusError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LotusError(f"{path}: is damaged: {error}; make it again") from error
    if not isinstance(content, dict) or not set(keys) <= set(content):
        raise LotusError(f"{path}: is not a split, which needs the keys {', '.join(keys)}")
    return content
