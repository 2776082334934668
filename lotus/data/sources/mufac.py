"""MUFAC: ages of faces in Korean families, as its authors publish it."""

from lotus.data.sources import RawFile, Source
from lotus.data.sources._mufac import CLASSES, HOMEPAGE, LICENCE, SELECTION, read_mufac

FOLDER = "custom_korean_family_dataset_resolution_128"

SOURCE = Source(
    name="mufac",
    title="MUFAC (128×128 pixels)",
    version="2023",
    classes=CLASSES,
    # As released: pixels on the 0–1 scale, not normalised.
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    licence=LICENCE,
    homepage=HOMEPAGE,
    selection=SELECTION,
    # The authors link an archive of this name; no checksum is published.
    files=(RawFile(f"{FOLDER}.zip", md5="", unpacks=FOLDER),),
    read=read_mufac,
    obtain=f"Get it as its authors say ({HOMEPAGE}), and put the folder into a data.mirror",
    sizes={"train": 10_025, "val": 1_539, "test": 1_504},
)
