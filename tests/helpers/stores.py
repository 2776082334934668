"""What tests of data sources share: a store built as the commands build it, and the line of its refusal."""

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
import raw_files

from lotus.config.images import StoreOptions
from lotus.config.scenarios import Scenario
from lotus.data.build import build_store, fetch_raw
from lotus.data.store import open_store
from lotus.errors import LotusError

TENTH = Scenario(forget_fraction=0.1)


def build(dataset, *mirrors, workers=1, out="store", **options):
    """What `lotus fetch` and `lotus store` do."""
    chosen = StoreOptions(**options)
    fetch_raw(dataset, chosen, tuple(map(str, mirrors)), Path("raw.json"))
    build_store(dataset, chosen, Path("raw.json"), Path(out), None, workers)
    return open_store(Path(out))


def refused(*arguments, **options):
    """The one line of the error; nothing half done may stay behind."""
    with pytest.raises(LotusError) as error:
        build(*arguments, **options)
    assert "\n" not in str(error.value)
    left = {path.name for path in Path().rglob("*") if path.is_file()}
    assert left <= {"raw.json"}, left
    assert not list(Path().rglob(".*"))
    return str(error.value)


def shown(store):
    return raw_files.numbers(store.images)


# Archives


def pack(folder, path):
    """The folder as an archive of the kind that the name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as opened:
            for file in sorted(folder.rglob("*")):
                opened.write(file, file.relative_to(folder.parent))
    else:
        kind = path.name.rpartition(".")[2]
        with tarfile.open(path, "w" if kind == "tar" else f"w:{kind}") as opened:
            opened.add(folder, folder.name)
    shutil.rmtree(folder)


# Decoding


def bytes_of(store):
    return {path.name: path.read_bytes() for path in store.folder.iterdir()}
