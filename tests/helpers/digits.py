"""A store of the digits, for tests that train on it."""

from lotus.config.images import StoreOptions
from lotus.data.build import build_store, fetch_raw
from lotus.data.splits import halve_held_out, save_held_out
from lotus.data.store import open_store


def store_of_digits(folder):
    """The store, under `store` of a folder, with the halves of seed 1 beside it."""
    fetch_raw("digits", StoreOptions(), (), folder / "raw.json")
    build_store("digits", StoreOptions(), folder / "raw.json", folder / "store", None)
    store = open_store(folder / "store")
    save_held_out(folder / "held-out.json", halve_held_out(store, 1))
    return store
