"""The audit of a store: what is in its parts, which images look alike, which of them cleaning keeps."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from lotus.data.alike_pairs import shown_images
from lotus.data.duplicates import choose_kept, distance_histogram, find_similar
from lotus.data.hashes import hash_store
from lotus.data.splits import load_forget_set, load_held_out
from lotus.data.store import Store, open_store
from lotus.errors import LotusError
from lotus.records.files import atomic, write_json
from lotus.records.record import write_record


@dataclass(frozen=True)
class PartCounts:
    """The images of one part, in numbers.

    Attributes:
        images: their number.
        pairs: of similar images, both in this part.
        dropped: images that cleaning drops.
        class_counts: images of each class, in order of label.

    """

    images: int
    pairs: int
    dropped: int
    class_counts: list[int]


@dataclass(frozen=True)
class Group:
    """Images that look alike. Lists run over its images, in data-set order.

    Attributes:
        indices: into the store.
        hashes: as 16 hexadecimal digits each.
        kept: index of the image that cleaning keeps.

    """

    indices: list[int]
    parts: list[str]
    labels: list[int]
    labels_agree: bool
    hashes: list[str]
    kept: int


@dataclass(frozen=True)
class Similarity:
    """Distances between forget and retain images.

    Attributes:
        histogram: pairs whose hashes differ in 0, 1, …, 64 bits.
        pairs: counted ones.
        of: pairs that there are; if more than counted, those were drawn with replacement.

    """

    histogram: list[int]
    pairs: int
    of: int


@dataclass(frozen=True)
class LookalikeAudit:
    """All that is known of the images of a scenario without any model.

    Attributes:
        distance: bits in which the hashes of similar images may differ.
        across: pairs of similar images by the names of their two parts, as `forget-retain`.
        similarity: None without a forget set.
        groups: of two images and more, in data-set order of their first image.

    """

    distance: int
    classes: list[str]
    parts: dict[str, PartCounts]
    across: dict[str, int]
    similarity: Similarity | None
    groups: list[Group]


@dataclass(frozen=True)
class Assigned:
    """The images of all parts, in data-set order.

    Attributes:
        indices: into the store, int64 `[N]`.
        part: number of each image's part, int64 `[N]`.
        names: of the parts.

    """

    indices: np.ndarray
    part: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Cleaned:
    """The images that cleaning keeps.

    Attributes:
        groups: group of each assigned image, int64 `[N]`.
        kept: whether it is kept, bool `[N]`.

    """

    assigned: Assigned
    groups: np.ndarray
    kept: np.ndarray

    @property
    def indices(self) -> np.ndarray:
        """Kept images: indices into the store, int64, ascending."""
        indices: np.ndarray = self.assigned.indices[self.kept]
        return indices


def assign_parts(store: Store, held_out: Path | None, forget_set: Path | None) -> Assigned:
    """The parts of a store; training images outside both forget and retain set belong to none.

    Args:
        held_out: validation/test halves that take the place of the store's own.
        forget_set: forget and retain set that take the place of `train`.

    Raises:
        LotusError: a file is damaged or of another store, or two parts share an image.

    """
    parts = {name: store.part(name) for name in store.source["parts"]}
    if forget_set is not None:
        chosen = load_forget_set(forget_set)
        del parts["train"]
        parts = {"forget": chosen.forget, "retain": chosen.retain, **parts}
    if held_out is not None:
        halves = load_held_out(held_out)
        parts |= {"val": halves.val, "test": halves.test}
    names = tuple(name for name in ("train", "forget", "retain", "val", "test") if name in parts)
    indices = np.concatenate([parts[name] for name in names])
    part = np.repeat(np.arange(len(names)), [len(parts[name]) for name in names])
    order = np.argsort(indices, kind="stable")
    indices, part = indices[order], part[order]
    if len(indices) and not 0 <= indices[0] <= indices[-1] < len(store.images):
        raise LotusError(
            f"{held_out or forget_set}: has indices {indices[0]}…{indices[-1]}, but {store.folder} has "
            f"{len(store.images)} images; make it again"
        )
    if (shared := np.flatnonzero(np.diff(indices) == 0)).size:
        both = " and ".join(names[number] for number in part[shared[0] : shared[0] + 2])
        raise LotusError(
            f"{store.folder}: image {indices[shared[0]]} is in {both}; the split files must be of "
            "one store and one seed"
        )
    return Assigned(indices, part, names)


def audit_images(
    hashes: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    assigned: Assigned,
    distance: int,
    pairs: int,
    seed: int,
) -> tuple[LookalikeAudit, Cleaned]:
    """Audits images by their hashes, and cleans them.

    Args:
        hashes, labels: of the whole store, uint64 and int64.
        distance: bits in which the hashes of similar images may differ.
        pairs: of forget and retain images to measure at most; more are sampled with `seed`.

    """
    names, part = assigned.names, assigned.part
    hashes, labels = hashes[assigned.indices], labels[assigned.indices]
    similar = find_similar(hashes, distance)
    groups, counted = similar.groups(), similar.count_pairs(part, len(names))
    kept = choose_kept(groups, part, names)
    audit = LookalikeAudit(
        distance=distance,
        classes=list(classes),
        parts={
            name: PartCounts(
                images=int((part == number).sum()),
                pairs=int(counted[number, number]),
                dropped=int((~kept & (part == number)).sum()),
                class_counts=np.bincount(labels[part == number], minlength=len(classes)).tolist(),
            )
            for number, name in enumerate(names)
        },
        across={
            f"{names[a]}-{names[b]}": int(counted[a, b])
            for a, b in combinations(range(len(names)), 2)
        },
        similarity=_similarity(hashes, part, names, pairs, seed),
        groups=_list_groups(assigned, groups, kept, labels, hashes),
    )
    return audit, Cleaned(assigned, groups, kept)


def _similarity(
    hashes: np.ndarray, part: np.ndarray, names: Sequence[str], pairs: int, seed: int
) -> Similarity | None:
    if "forget" not in names:
        return None
    forget, retain = (hashes[part == names.index(name)] for name in ("forget", "retain"))
    histogram = distance_histogram(forget, retain, pairs, np.random.default_rng(seed))
    return Similarity(histogram.tolist(), int(histogram.sum()), len(forget) * len(retain))


def _list_groups(
    assigned: Assigned, groups: np.ndarray, kept: np.ndarray, labels: np.ndarray, hashes: np.ndarray
) -> list[Group]:
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups))
    listed = []
    for members in np.split(order, ends[:-1]) if len(ends) else []:
        if len(members) > 1:
            listed.append(
                Group(
                    indices=assigned.indices[members].tolist(),
                    parts=[assigned.names[number] for number in assigned.part[members]],
                    labels=labels[members].tolist(),
                    labels_agree=bool((labels[members] == labels[members[0]]).all()),
                    hashes=[f"{value:016x}" for value in hashes[members].tolist()],
                    kept=int(assigned.indices[members[kept[members]]].item()),
                )
            )
    return listed


def audit_store(
    folder: Path,
    out: Path,
    record: Path,
    *,
    held_out: Path | None,
    forget_set: Path | None,
    distance: int,
    pairs: int,
    seed: int,
    labels: Mapping[str, Any],
    cleaned: Path | None,
    workers: int,
) -> None:
    """Audits a store and writes the audit (JSON), which images cleaning keeps (CSV) and the record.

    Args:
        folder: the store.
        held_out, forget_set: see `assign_parts`.
        distance, pairs, seed: see `audit_images`.
        labels: data set, scenario, …: names for the audit.
        cleaned: where the CSV goes, None for none.
        workers: processes that hash.

    Raises:
        LotusError: the store or a split file is damaged, or they do not belong together.

    """
    store = open_store(folder)
    assigned = assign_parts(store, held_out, forget_set)
    hashes = hash_store(store, workers)
    audit, result = audit_images(
        hashes, store.labels, store.classes, assigned, distance, pairs, seed
    )
    about = {"dataset": store.source["dataset"], **labels, "seed": seed}
    found = {**about, **asdict(audit)}
    pictures = {str(index): _as_json(store.images[index]) for index in shown_images(found)}
    write_json(out, {**found, "pictures": pictures})
    if cleaned is not None:
        write_clean_csv(cleaned, result, store.labels)
    write_record(
        record,
        kind="audit",
        modules=[__name__],
        about=about,
        settings={"distance": distance, "pairs": pairs},
        inputs=[folder / "source.json", *filter(None, [held_out, forget_set])],
        outputs=[out, *filter(None, [cleaned])],
    )


def _as_json(image: np.ndarray) -> dict[str, Any]:
    """Returns an image, uint8 `[H, W, C]`, so that a figure needs no store."""
    return {"shape": list(image.shape), "pixels": b64encode(image.tobytes()).decode("ascii")}


def write_clean_csv(path: Path, cleaned: Cleaned, labels: np.ndarray) -> None:
    """Writes one line per image: index, part, label, kept, group.

    `group` is the place in the audit's list of groups, empty if the image is like no other.

    Args:
        labels: of the whole store, int64.

    """
    import pandas as pd

    assigned, groups = cleaned.assigned, cleaned.groups
    is_group = np.bincount(groups) > 1
    place = pd.Series((np.cumsum(is_group) - 1)[groups], dtype="Int64")
    frame = pd.DataFrame(
        {
            "index": assigned.indices,
            "part": np.array(assigned.names)[assigned.part],
            "label": labels[assigned.indices],
            "kept": cleaned.kept,
            "group": place.where(is_group[groups]),
        }
    )
    with atomic(path) as draft:
        frame.to_csv(draft, index=False)
