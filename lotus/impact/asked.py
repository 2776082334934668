"""From what a user names (an image, a file, a module, a key) to where the way forwards begins."""

import re
from difflib import get_close_matches
from pathlib import Path

from lotus import layout
from lotus.audit.unrecorded_files import listed
from lotus.errors import LotusError
from lotus.impact.images import of_position, position_of, position_of_name
from lotus.impact.settings import Configuration, read_configuration
from lotus.impact.start import ALL, Start
from lotus.lineage.artifacts import find_node
from lotus.lineage.tree import is_raw_list, is_store
from lotus.names import shown
from lotus.records.files import relative
from lotus.records.index import Index
from lotus.records.places import on_this_machine

ACCEPTED = (
    "accepted: an image, by its file or its place in a store (data/stores/digits:17) or its name there "
    "(data/stores/birds:ant/1.png); a raw file; a file or folder of data/stores or results; a module "
    "(lotus.methods.ssd or its file); a key of the configuration (scenarios.instance-10.forget_fraction)"
)
IMAGE = re.compile(r"(?:data/stores/)?(?P<dataset>[^/:]+):(?P<position>\d+)")
NAMED = re.compile(r"(?:data/stores/)?(?P<dataset>[^/:]+):(?P<name>.+)")


def find_start(given: str, index: Index) -> Start:
    """Returns where the way forwards of what a user names begins.

    What is a path is taken for one; then for a module, then for a key of the configuration.

    Raises:
        LotusError: it is none of what is accepted, or what has to be read for it is absent or damaged.

    """
    if not layout.RESULTS.is_dir():
        raise LotusError(f"no folder '{layout.RESULTS}' here: run this in a project with results")
    if found := IMAGE.fullmatch(given):
        return _of_image(index, given, found["dataset"], int(found["position"]))
    named = NAMED.fullmatch(given)
    if named and layout.store_record(named["dataset"]).as_posix() in index.records:
        dataset, name = named["dataset"], named["name"]
        return of_position(index, dataset, position_of_name(dataset, name))
    configuration = read_configuration(index)
    start = _of_module(index, given) or _of_raw_file(index, given) or _of_image_file(index, given)
    if start is not None:
        return start
    if configuration is not None and _is_section(configuration, given):
        # A folder that no record knows hides no section of its name, as `data` is one.
        known = Path(given).exists() and _node(given, index) is not None
        if not known:
            return configuration.start_of(given)
    return _of_artifact(index, given, configuration)


def _of_image(index: Index, given: str, dataset: str, position: int) -> Start:
    stores = sorted(
        record.about["dataset"] for record in index.records.values() if record.kind == "store"
    )
    if dataset not in stores:
        near = get_close_matches(dataset, stores, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        there = ", ".join(map(shown, stores)) or "none"
        raise LotusError(
            f"{shown(given)}: no record of a store '{shown(dataset)}'; {hint}there are: {there}"
        )
    return of_position(index, dataset, position)


def _of_image_file(index: Index, given: str) -> Start | None:
    path = Path(given)
    found = position_of(path) if path.is_file() else None
    return None if found is None else of_position(index, *found)


def _of_module(index: Index, given: str) -> Start | None:
    """A module by its dotted name or its file; None where no step reaches one of this name."""
    name = given
    if given.endswith(".py"):
        parts = Path(relative(Path(given))).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    found = frozenset(
        record.path
        for record in index.records.values()
        if name in record.content.get("code", {}).get("modules", {})
    )
    if not found:
        return None
    said = "The code of these steps reaches it; whether they use it, records do not say."
    return Start(f"module {name}", (said,), found)


def _of_raw_file(index: Index, given: str) -> Start | None:
    """A raw file, its folder or its list: the stores that were built from it; None for other paths."""
    wanted = Path(given).absolute()
    stores = []
    for place in sorted(layout.RAW.glob("*.json")):
        files = [on_this_machine(file.path).absolute() for file in listed(place) or ()]
        if wanted == place.absolute() or wanted in files:
            stores.append(place.stem)
    known = [
        record.path
        for name in stores
        if (record := index.records.get(layout.store_record(name).as_posix())) is not None
    ]
    if not known:
        return None
    return Start(f"raw file {shown(given)}", (), frozenset(known))


def _is_section(configuration: Configuration, given: str) -> bool:
    """Whether a text begins with a section of the configuration, and so can be meant for a key."""
    return given.partition(".")[0] in configuration.settings


def _node(given: str, index: Index) -> str | None:
    """A file or folder as records know it; None where none does."""
    try:
        return find_node(given, index)
    except LotusError:
        return None


def _of_artifact(index: Index, given: str, configuration: Configuration | None) -> Start:
    """A file or folder that the records know."""
    try:
        node = find_node(given, index)
    except LotusError as error:
        raise LotusError(f"{error}{_near(index, given, configuration)}; {ACCEPTED}") from None
    if is_store(node):
        return Start(
            f"store {node}", (), frozenset({layout.store_record(Path(node).name).as_posix()})
        )
    if is_raw_list(node):
        return Start(f"raw list {node}", (), files={node: ALL})
    if node in index.records:
        return Start(f"step of {node}", (), frozenset({node}))
    made = index.producer(node)
    if made is not None and Path(node).name == layout.MODEL_FILE:
        # The predictions of a run are made of its model.
        return Start(f"model {node}", (), frozenset({made.path}))
    return Start(f"file {node}", (), files={node: ALL})


def _near(index: Index, given: str, configuration: Configuration | None) -> str:
    """A module or section of a like name."""
    modules = {
        name
        for record in index.records.values()
        for name in record.content.get("code", {}).get("modules", {})
    }
    known = [*sorted(modules), *(configuration.settings if configuration is not None else ())]
    near = get_close_matches(given, known, n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""
