"""MUFAC as LoTUS uses it: without images that look alike (`lotus clean-mufac` makes such a folder)."""

from lotus.data.sources import RawFile, Source
from lotus.data.sources._mufac import CLASSES, HOMEPAGE, LICENCE, SELECTION, read_mufac

FOLDER = "custom_korean_family_dataset_resolution_128_clean"

SOURCE = Source(
    name="mufac-clean",
    title="MUFAC without near-duplicates (128×128 pixels)",
    version="2023",
    classes=CLASSES,
    # As released: pixels on the 0–1 scale, not normalised.
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    licence=LICENCE,
    homepage=HOMEPAGE,
    selection=SELECTION,
    # Not published as such: each user makes it; the numbers are those of LoTUS's notebook.
    files=(RawFile(f"{FOLDER}.zip", md5="", unpacks=FOLDER),),
    read=read_mufac,
    obtain="Make it from MUFAC with LoTUS's notebook or `lotus clean-mufac` (which keeps other numbers of "
    "images: declare `content: any`), and put the folder into a data.mirror",
    sizes={"train": 6_575, "val": 1_211, "test": 1_118},
)
