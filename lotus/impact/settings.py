"""What rests on one key of the configuration, as the description of the experiment has it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config.overrides import Where
from lotus.config.privacy import seeds_of_shadows
from lotus.config.protocol import parse
from lotus.errors import LotusError, choices
from lotus.impact.start import Start
from lotus.layout import GOLD, ORIGINAL, further_gold, is_further_gold
from lotus.names import shown
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.results.experiment import read_experiment
from lotus.surroundings import PACKAGE

TUNING_TABLE = layout.item_record("tables", "tuning", "table").as_posix()
"""Of the table that sets what is said of tuning beside the report's models."""
SPLITS = ("held-out", "half", "forget-set")
"""Kinds of records of steps that draw images."""
Settings = Mapping[str, Any]
Steps = tuple[str, ...]
"""The parts of a key: names, and places in lists."""


@dataclass(frozen=True)
class Configuration:
    """The experiment as `lotus describe` wrote it, with the records of its steps."""

    described: Mapping[str, Any]
    index: Index

    @property
    def settings(self) -> Settings:
        """Every setting, defaults filled in."""
        settings: Settings = self.described["settings"]
        return settings

    def start_of(self, key: str) -> Start:
        """Returns where the way of a key begins.

        Raises:
            LotusError: there is no such key; names the part, and what there is.

        """
        steps, value = _resolved(self.settings, key)
        records = frozenset(
            record.path for record in self.index.records.values() if self._rests(record, steps)
        )
        stated = "" if isinstance(value, Mapping | list) else f" = {shown(str(value))}"
        return Start(f"{key}{stated}, a key of the configuration", tuple(_said(steps)), records)

    def _rests(self, record: Record, steps: Steps) -> bool:
        """Whether a step rests directly on a key."""
        about, is_run = record.about, record.kind in MODELS
        trains = is_run or record.kind == "image-losses"
        match steps:
            case ("title" | "further" | "based_on", *_):
                return record.kind in ("experiment", "report")
            case ("data", *_):
                files = record.content.get("notes", {}).get("source", {}).get("files", ())
                return record.kind == "store" and not all(file.get("published") for file in files)
            case ("limit", *_):
                return record.kind == "store"
            case ("plugins", *_):
                return record.kind == "unlearned" and any(
                    not name.startswith(f"{PACKAGE}.") for name in record.content["code"]["entry"]
                )
            case ("seeds",):
                return "seed" in about
            case ("seeds", place):
                return str(about.get("seed")) == str(self.settings["seeds"][int(place)])
            case ("datasets", name, *inner):
                if name not in (about.get("dataset"), record.settings.get("calibration")):
                    return False
                return record.kind == "store" or (trains and inner[:1] != ["store"])
            case ("architectures", name, *inner):
                if not trains or about.get("architecture") != name:
                    return False
                if inner[:1] == ["checkpoint"]:
                    return record.kind == "original"
                return not self._has_other_recipe(record, inner)
            case ("scenarios", name, *_):
                return record.kind == "forget-set" and about.get("scenario") == name
            case ("methods", row, *inner):
                return self._takes(record, row, inner, place=-1)
            case ("overrides", _, "source" | "tuned", *_):
                # What is said of values; no value itself.
                return record.kind in ("experiment", "report") or record.path == TUNING_TABLE
            case ("overrides", place, *inner):
                return self._is_of_override(record, int(place), inner)
            case ("gold_seeds",):
                return is_run and is_further_gold(str(about.get("row")))
            case ("seeds_apart", place, *inner):
                return self._is_seeded_apart(
                    record, self.settings["seeds_apart"][int(place)], inner
                )
            case ("privacy", *_):
                return self._is_of_shadows(record, "privacy", ("original", "unlearned"))
            case ("power", *_):
                return self._is_of_power(record)
            case ("grid", _, "tables", *_):
                # Names of targets, which nothing that is made states but the description.
                return record.kind in ("experiment", "report")
            case ("grid",):
                return is_run
            case ("grid", place, *_):
                return record.path in self._runs_of_block_alone(int(place))
            case ("tuning", *_):
                return record.kind in ("trials", "overrides")
        # A whole section: all that rests on any of its parts.
        (section,) = steps
        parts = self.settings[section]
        names = parts if isinstance(parts, Mapping) else range(len(parts or ()))
        return any(self._rests(record, (section, str(name))) for name in names)

    def _is_seeded_apart(self, record: Record, entry: Settings, inner: Sequence[str]) -> bool:
        """Whether a step draws by a seed of its own that stands in an entry of `seeds_apart`."""
        axis = inner[0] if inner else "seed"
        if str(record.about.get("seed")) != str(entry["seed"]) or entry[axis] is None:
            return False
        kinds = {"seed": (*SPLITS, *MODELS), "split": SPLITS}
        return record.kind in kinds.get(axis, MODELS)

    def _is_of_shadows(self, record: Record, section: str, kinds: Sequence[str]) -> bool:
        """Whether a step is one of the shadows that a section asks for: a model, or their splits."""
        asked = self.settings[section]
        if asked is None or record.kind not in (*kinds, *SPLITS):
            return False
        shadows = map(str, seeds_of_shadows(int(asked["shadows"])))
        return str(record.about.get("seed")) in shadows

    def _is_of_power(self, record: Record) -> bool:
        """Whether a step is there since measures are tried: golds beside those of `gold_seeds`, too."""
        if self.settings["power"] is None:
            return False
        row = str(record.about.get("row"))
        usual = {further_gold(number) for number in range(1, 1 + self.settings["gold_seeds"])}
        return (
            record.kind in ("power", "retrained")
            or (record.kind == "gold" and is_further_gold(row) and row not in usual)
            or self._is_of_shadows(record, "power", ("gold",))
        )

    def _has_other_recipe(self, record: Record, inner: Sequence[str]) -> bool:
        """Whether an override gives the recipe of a run another value for a key of `training`."""
        if inner[:1] != ["training"] or len(inner) < 2:
            return False
        return any(
            inner[1] in override["training"] and _covers(override["where"], record, None)
            for override in self.settings["overrides"]
        )

    def _is_of_override(self, record: Record, place: int, inner: Sequence[str]) -> bool:
        override = self.settings["overrides"][place]
        if inner[:1] == ["methods"]:
            rows = inner[1:2] or list(override["methods"])
            return any(self._takes(record, row, inner[2:], place) for row in rows)
        if inner[:1] in (["training"], ["images"]):
            kinds = ("original", "gold") if inner[0] == "training" else MODELS
            return (
                record.kind in kinds
                and bool(override[inner[0]])
                and _covers(override["where"], record, None)
            )
        return any(
            self._is_of_override(record, place, [part])
            for part in ("methods", "training", "images")
        )

    def _takes(self, record: Record, row: str, inner: Sequence[str], place: int) -> bool:
        """Whether a run takes its hyper-parameters, or one of them, from a place.

        Args:
            inner: the key, or nothing for all.
            place: of the override; -1 for `methods`.

        """
        if record.kind != "unlearned" or record.about.get("row") != row:
            return False
        given = self._given(row, place)
        keys = inner[:1] or list(given)
        if place == -1 and (not keys or keys[0] in ("method", "calibration") or not inner):
            return True
        return any(
            self._is_taken(record, row, key, place, column)
            for key in keys
            for column in _columns(record)
        )

    def _is_taken(self, record: Record, row: str, key: str, place: int, column: str) -> bool:
        """Whether the value of a hyper-parameter is the one that stands at a place: the last one wins."""
        given = self._given(row, place)
        stated = record.settings.get("hyperparameters", {})
        if key not in given or (key in stated and not _are_equal(stated[key], given[key])):
            return False
        overrides = self.settings["overrides"]
        if place >= 0 and not _covers(overrides[place]["where"], record, column):
            return False
        return not any(
            key in later["methods"].get(row, {}) and _covers(later["where"], record, column)
            for later in overrides[place + 1 :]
        )

    def _given(self, row: str, place: int) -> Mapping[str, Any]:
        source = self.settings if place < 0 else self.settings["overrides"][place]
        given: Mapping[str, Any] = source["methods"].get(row, {})
        return given

    def _runs_of_block_alone(self, place: int) -> set[str]:
        """Records of the runs that a block of the grid asks for, and no other block does."""
        blocks = [self._runs_of_block(block) for block in self.settings["grid"]]
        return blocks[place].difference(*blocks[:place], *blocks[place + 1 :])

    def _runs_of_block(self, block: Mapping[str, Any]) -> set[str]:
        """Records of the runs that a block of the grid asks for."""
        rows = {*(block["methods"] or self.settings["methods"]), ORIGINAL, GOLD}
        seeds = {str(seed) for seed in block["seeds"] or self.settings["seeds"]}
        keys = {"dataset": "datasets", "architecture": "architectures", "scenario": "scenarios"}
        keys["protocol"] = "protocols"
        return {
            (Path(folder) / layout.RUN_RECORD).as_posix()
            for cell in (*self.described["benchmarks"], *self.described["ablations"])
            if all(cell[key] in block[several] for key, several in keys.items())
            and cell["study"] == (block["study"] or "")
            for seed, folders in cell["runs"].items()
            for row, folder in folders.items()
            if seed in seeds and (row in rows or is_further_gold(row))
        }


def read_configuration(index: Index) -> Configuration | None:
    """Returns the experiment that is described here; None where there is none.

    Raises:
        LotusError: the description is damaged.

    """
    if not layout.EXPERIMENT.is_file():
        return None
    return Configuration(read_experiment(layout.EXPERIMENT).described, index)


def _resolved(settings: Settings, key: str) -> tuple[Steps, Any]:
    """The parts of a key and its value; names may have dots themselves."""
    found: Any = settings
    steps: list[str] = []
    rest = key
    while rest:
        part = _first_part(found, rest)
        if part is None:
            named = rest.partition(".")[0]
            place = f"in {'.'.join(steps)}" if steps else "in the configuration"
            there = found if isinstance(found, Mapping) else map(str, range(_length(found)))
            raise LotusError(
                f"{shown(key)}: no key '{shown(named)}' {place}; {choices(named, there)}"
            )
        found = found[int(part)] if isinstance(found, list) else found[part]
        steps.append(part)
        rest = rest[len(part) + 1 :]
    return tuple(steps), found


def _length(found: Any) -> int:
    return len(found) if isinstance(found, list) else 0


def _first_part(found: Any, rest: str) -> str | None:
    """The longest name that a key begins with here; None where there is none."""
    names: Iterable[str] = ()
    if isinstance(found, Mapping):
        names = map(str, found)
    elif isinstance(found, list):
        names = map(str, range(len(found)))
    fitting = [name for name in names if rest == name or rest.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def _said(steps: Steps) -> list[str]:
    match steps:
        case ("data", *_):
            return [
                "It says where raw files are looked for; only files without a checksum can be others."
            ]
        case ("tuning", *_):
            return ["What tuning chose stands under `overrides`; the runs rest on those keys."]
        case ("methods", _, _, *_):
            return ["Runs in which an override gives the key another value are left out."]
        case ("grid", _, "tables", *_):
            return ["It says for which target these runs are made, and nothing of what they are."]
        case ("grid", _, *_):
            return ["Runs that another block asks for too are left out."]
        case ("overrides", _, *_):
            return ["Runs in which a later override gives the key another value are left out."]
    return []


def _columns(record: Record) -> tuple[str, ...]:
    """Whether a row stands as its own paper has it or as the published code has it.

    Where single switches are on, the method's own decide it, which only its code names: then both are
    looked at, and the value that the run states tells them apart.
    """
    protocol = parse(str(record.about.get("protocol", "corrected")))
    return ("corrected", "released") if protocol.deviations else (protocol.base,)


def _are_equal(stated: Any, given: Any) -> bool:
    """Whether a run states the value that is given, which may be a number as text (`5e-3`)."""
    try:
        return float(stated) == float(given)
    except (TypeError, ValueError):
        return str(stated) == str(given)


def _covers(where: Settings, record: Record, column: str | None) -> bool:
    about = record.about
    scenario = str(about["scenario"]) if column is not None and "scenario" in about else None
    return Where.model_validate(where).covers(
        str(about.get("dataset")), str(about.get("architecture")), scenario, column
    )
