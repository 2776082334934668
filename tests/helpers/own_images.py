"""What tests of a user's own images share: reading a place, what is left out or refused, names, tables."""

import pytest

from lotus.config.images import StoreOptions
from lotus.data.build import build_store, fetch_raw
from lotus.data.content import check
from lotus.data.sources import image_folder
from lotus.data.store import open_store
from lotus.errors import LotusError

NFC, NFD = "été", "e\u0301te\u0301"


def read(place):
    content = image_folder.read((place,))
    check("own", content)
    return content


def left_out(content):
    return {group.reason: group.names for group in content.left_out}


def refused(place):
    with pytest.raises(LotusError) as error:
        read(place)
    assert str(error.value).isprintable(), str(error.value)
    return str(error.value)


def store_of(place, folder, **options):
    chosen = StoreOptions(source="image-folder", raw=str(place), **options)
    folder.mkdir(exist_ok=True)
    fetch_raw("own", chosen, (), folder / "raw.json")
    build_store("own", chosen, folder / "raw.json", folder / "store", None, 1)
    return open_store(folder / "store")


HEAD = "path,label,split\n"
GOOD = HEAD + "0.png,ant,train\n1.png,bee,train\n2.png,ant,test\n"
