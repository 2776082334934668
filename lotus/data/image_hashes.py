"""Perceptual hashes of the training images of a store, by which clusters of look-alikes are found."""

from pathlib import Path

from lotus.data.forget_rules import HASHES, save_known
from lotus.data.hashes import hash_store
from lotus.data.store import open_store
from lotus.records.record import write_record


def write_hashes(folder: Path, out: Path, record: Path, workers: int) -> None:
    """Writes the hashes of a store's training images, and their record.

    Args:
        workers: processes; the result does not depend on them.

    Raises:
        LotusError: as `hash_store`, or the store is damaged.

    """
    store = open_store(folder)
    save_known(out, store, HASHES, hash_store(store, workers)[store.part("train")])
    write_record(
        record,
        kind="image-hashes",
        modules=[__name__],
        about={"dataset": store.source["dataset"]},
        settings={},
        inputs=[folder / "source.json"],
        outputs=[out],
    )
