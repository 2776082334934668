"""The sections of the configuration that follow from a wish and from what its files say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import models
from lotus.adopt.wish import Wish
from lotus.config.architectures import ARCHITECTURE, Architecture
from lotus.config.images import Dataset
from lotus.config.mistakes import check
from lotus.data import sources
from lotus.data.store import open_store
from lotus.errors import LotusError, choices
from lotus.names import path_form, shown
from lotus.records.files import sha256


@dataclass(frozen=True)
class Sections:
    """The sections that name things of the user's.

    Attributes:
        dataset, network: names under `datasets` and `architectures`.

    """

    dataset: str
    network: str
    use: Dataset
    architecture: Architecture


def sections_of(wish: Wish) -> Sections:
    """Returns the sections for the images and the network.

    Raises:
        LotusError: the checkpoint or the images are not there, there is no such network, or a section
            would not be accepted.

    """
    architecture = _architecture(wish)
    name, store = _store(wish)
    prepared = models.own_preprocessing(architecture)
    size = wish.size or (min(prepared.size) if prepared is not None else None)
    if store.get("source") == "image-folder" and size is not None:
        # Photographs are of all sizes; what is kept of them is what the network sees.
        store["side"] = size
    for given, option, other in ((wish.mean, "--mean", "--std"), (wish.std, "--std", "--mean")):
        if given is not None and (wish.mean is None or wish.std is None):
            raise LotusError(f"{option} {_commas(given)}: give {other} with it, or neither of them")
    mean = wish.mean or (prepared.mean if prepared is not None else None)
    std = wish.std or (prepared.std if prepared is not None else None)
    if mean is not None and std is not None:
        store |= {"mean": [*mean], "std": [*std]}
    section: dict[str, Any] = {"store": store}
    if size is not None and "side" not in store:
        section |= {"resize": size, "crop": size}
    return Sections(name, wish.name, check(Dataset, section, f"datasets.{name}"), architecture)


def _commas(numbers: Sequence[float]) -> str:
    """Returns numbers as the options take them."""
    return ",".join(f"{number:g}" for number in numbers)


def _architecture(wish: Wish) -> Architecture:
    try:
        digest = sha256(wish.weights)
    except OSError as error:
        raise LotusError(
            f"--weights {shown(wish.weights)}: cannot be read: {error.strerror}"
        ) from error
    entry = {} if wish.entry is None else {"entry": wish.entry}
    section = {
        **_network(wish.network),
        **wish.network_options,
        "checkpoint": {"file": wish.weights.as_posix(), "sha256": digest, **entry},
    }
    return check(ARCHITECTURE, section, f"architectures.{wish.name}")


def _network(asked: str) -> dict[str, Any]:
    library, colon, name = asked.partition(":")
    if colon and library in models.LIBRARIES:
        return {"model": library, "name": name}
    if colon:
        raise LotusError(
            f"--architecture {shown(asked)}: {choices(library, models.LIBRARIES)} before the colon"
        )
    if asked.endswith(".py"):
        return {"model": "plugin", "file": asked}
    return {"model": asked}


def _store(wish: Wish) -> tuple[str, dict[str, Any]]:
    """Returns the name of the data set and how its store is built."""
    held_out = {} if wish.held_out is None else {"held_out": wish.held_out}
    place = Path(wish.images)
    if (place / "source.json").is_file():
        return _of_store(place)
    if place.exists():
        return _name_of_images(place), {"source": "image-folder", "raw": wish.images, **held_out}
    known = sources.available()
    if wish.images not in known:
        raise LotusError(
            f"--images {shown(wish.images)}: there is no such folder or file, and no such data set: "
            f"{choices(wish.images, known)}"
        )
    return wish.images, dict(held_out)


def _name_of_images(place: Path) -> str:
    """Named after the folder or file: two data sets of one project must not share a store."""
    name = path_form(place.resolve().stem) or "images"
    return f"my-{name}" if name in sources.available() else name


def _name_of_scenario(forget: Mapping[str, Any]) -> str:
    """Named after what is forgotten: two requests about the same images must not share a forget set."""
    words: list[str] = []
    if "forget_list" in forget:
        words.append(Path(forget["forget_list"]).stem)
    for column, value in forget.get("forget_where", {}).items():
        words += [column, str(value)]
    words += forget.get("forget_glob", [])
    return "-".join(filter(None, [*map(path_form, words), "listed"]))


def _of_store(folder: Path) -> tuple[str, dict[str, Any]]:
    """The data set that a store was built of, if it can be built again."""
    source = open_store(folder).source
    if source.get("source") not in sources.available() or source["source"] == "image-folder":
        raise LotusError(
            f"--images {shown(folder)}: is a store of your own images; name the folder or CSV file that it "
            "was built from"
        )
    return str(source["dataset"]), {}


def configuration_of(wish: Wish, sections: Sections) -> Mapping[str, Any]:
    """Returns the whole configuration."""
    scenario = _name_of_scenario(wish.forget)
    return {
        "title": f"What {sections.network} forgets",
        "seeds": [*wish.seeds],
        "datasets": {sections.dataset: _told(sections.use)},
        "architectures": {sections.network: _told(sections.architecture)},
        "scenarios": {scenario: dict(wish.forget)},
        "methods": {name: {} for name in wish.methods},
        "grid": [
            {
                "datasets": [sections.dataset],
                "architectures": [sections.network],
                "scenarios": [scenario],
                "gold": wish.gold,
            }
        ],
    }


def _told(section: Dataset | Architecture) -> dict[str, Any]:
    told = section.model_dump(mode="json", exclude_defaults=True)
    if isinstance(section, Dataset):
        return told
    # The key by which a section is told from others can be a default. The recipe for gold should be the
    # user's own, so it is written out to be looked at.
    recipe = section.training.model_dump(mode="json")
    return {"model": section.model, **told, "training": recipe}
