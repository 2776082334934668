"""Small pictures of forget images on one sheet: whoever reads a number can see what was forgotten."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import PositiveInt, TypeAdapter, ValidationError

from lotus.data.splits import load_forget_set
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.names import shown
from lotus.records.files import atomic, write_json
from lotus.records.record import write_record

COLUMNS = 10
SIDE = 32
"""Pixels of the longer side of a picture at most; larger images are made smaller."""
MOST, BYTES = 100, 120_000
"""Pictures on a sheet, and bytes of their pixels, at most: a page holds the sheets of all forget sets."""


@dataclass(frozen=True)
class ForgetSheet:
    """The list beside a sheet: which forget images it shows, line by line.

    Attributes:
        digest: names the forget set, as its file does.
        images: number of forget images, of which the sheet shows some.
        positions: of the pictures, in the store.
        classes: name of the class of each picture.
        columns: pictures in a line.
        height, width: of a picture, in pixels.

    """

    digest: str
    images: PositiveInt
    positions: tuple[int, ...]
    classes: tuple[str, ...]
    columns: PositiveInt
    height: PositiveInt
    width: PositiveInt


def write_forget_sheet(
    folder: Path, forget_set: Path, labels: Mapping[str, Any], out: Path, record: Path
) -> None:
    """Writes the sheet of a forget set (PNG), the list beside it (the same path, `.json`) and the record.

    Where there are too many images, those that are shown lie evenly spread over the set, and so over its
    classes.

    Args:
        folder: of the store.
        labels: data set, scenario, seed: for the record only.
        out: the picture.

    Raises:
        LotusError: the store or the split is damaged, or they do not belong together.

    """
    from PIL import Image

    store, chosen = open_store(folder), load_forget_set(forget_set)
    if chosen.forget.max(initial=-1) >= len(store.labels):
        raise LotusError(
            f"{shown(forget_set)}: names the image {chosen.forget.max()}, and {shown(folder)} has "
            f"{len(store.labels)}; it is of another store"
        )
    height, width = _size(*store.images.shape[1:3])
    count = min(MOST, len(chosen.forget), max(1, BYTES // (height * width * store.images.shape[3])))
    spread = np.linspace(0, len(chosen.forget) - 1, count).round().astype(int)
    positions = chosen.forget[spread]
    sheet = _sheet(np.stack([_small(store.images[at], height, width) for at in positions]))
    listed = ForgetSheet(
        digest=chosen.digest,
        images=len(chosen.forget),
        positions=tuple(positions.tolist()),
        classes=tuple(store.classes[label] for label in store.labels[positions]),
        columns=COLUMNS,
        height=height,
        width=width,
    )
    with atomic(out) as draft:
        Image.fromarray(sheet).save(draft, format="PNG")
    beside = out.with_suffix(".json")
    write_json(beside, asdict(listed))
    write_record(
        record,
        kind="forget-sheet",
        modules=[__name__],
        about=dict(labels),
        settings={},
        inputs=[
            forget_set,
            *(folder / name for name in ("images.npy", "labels.npy", "classes.json")),
        ],
        outputs=[out, beside],
    )


def read_forget_sheet(path: Path) -> ForgetSheet:
    """Reads the list beside a sheet.

    Raises:
        LotusError: absent, damaged or something else.

    """
    try:
        listed = TypeAdapter(ForgetSheet).validate_python(read_mapping(path))
    except ValidationError as error:
        found = error.errors()[0]
        place = shown(".".join(map(str, found["loc"]))) or "as a whole"
        raise LotusError(
            f"{shown(path)}: not a list of `lotus picture-forget-set`: {place}: {found['msg']}"
        ) from None
    if len(listed.positions) != len(listed.classes):
        raise LotusError(
            f"{shown(path)}: {len(listed.positions)} positions of {len(listed.classes)} pictures; make it "
            "again"
        )
    return listed


def _size(height: int, width: int) -> tuple[int, int]:
    """Returns the size of a picture: that of the images, or smaller in the same shape."""
    longer = max(height, width)
    if longer <= SIDE:
        return height, width
    return max(1, round(height * SIDE / longer)), max(1, round(width * SIDE / longer))


def _small(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns an image (uint8 `[H, W, C]`) in the size of a picture, in grey or in colour."""
    from PIL import Image

    pixels = np.asarray(image)
    # Of channels that are neither one nor three the first is shown.
    pixels = pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
    if pixels.shape[:2] == (height, width):
        return pixels
    resized: np.ndarray = np.asarray(
        Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
    )
    return resized


def _sheet(pictures: np.ndarray) -> np.ndarray:
    """Returns pictures (`[n, H, W]` or `[n, H, W, 3]`) in lines of `COLUMNS`; what is left is white."""
    count, height, width, *channels = pictures.shape
    lines = -(-count // COLUMNS)
    sheet = np.full((lines * height, COLUMNS * width, *channels), 255, np.uint8)
    for number, picture in enumerate(pictures):
        line, column = divmod(number, COLUMNS)
        top, left = line * height, column * width
        sheet[top : top + height, left : left + width] = picture
    return sheet
