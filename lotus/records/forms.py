"""The forms that records and lists from outside must have before anything in them is believed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from lotus import layout
from lotus.names import shown
from lotus.records.seal import READ_FORMATS

MODELS = ("original", "gold", "retrained", "unlearned")
"""Kinds of steps that make a model; `retrained` is of models by which measures are tried."""
LONGEST_PATH, LONGEST_NAME = 1000, 255
"""Characters of a path in a record; bytes of a name that file systems take."""


def _named(path: str) -> str:
    """Returns the path, if a file can be called so.

    Raises:
        ValueError: it cannot.

    """
    names = path.removeprefix("/").split("/")
    if path == str(layout.RESULTS) or "" in names or "." in names:
        raise ValueError(f"'{shown(path)}' is not the path of a file")
    too_long = len(path) > LONGEST_PATH or any(len(it.encode()) > LONGEST_NAME for it in names)
    if "\0" in path or too_long:
        raise ValueError(f"'{shown(path[:80])}' cannot be the path of a file")
    return path


FilePath = Annotated[str, AfterValidator(_named)]
"""A path as records have it: relative to the project where the file lies there."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A sha256."""


class RecordForm(BaseModel):
    """The form of a file, besides being JSON; values are not converted."""

    model_config = ConfigDict(strict=True)


class _Code(RecordForm):
    step: str
    entry: list[Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)*$")]]
    modules: dict[str, str]
    package: str
    commit: str | None
    dirty: bool | None


LARGEST = 1e100
"""No measured number is larger; with larger ones arithmetic overflows."""
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
"""A measured number."""


class _Time(RecordForm):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number]
    started: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    total: Number

    @model_validator(mode="after")
    def _is_time(self) -> Self:
        try:
            datetime.fromisoformat(self.started) + timedelta(seconds=self.total)
        except OverflowError as error:
            raise ValueError(str(error)) from error
        return self


class _Memory(RecordForm):
    process: int
    device: int


class _Record(RecordForm):
    """The form that a record must have to be followed."""

    format: Literal[2, 3]
    kind: str
    path: str
    command: str
    about: dict[str, Any]
    settings: dict[str, Any]
    inputs: dict[FilePath, Digest]
    outputs: dict[FilePath, Digest]
    records: dict[FilePath, Digest]
    code: _Code
    versions: dict[str, str]
    hardware: dict[str, Any]
    time: _Time
    memory: _Memory
    notes: dict[str, Any]
    digest: Digest


class _OfSplit(RecordForm):
    dataset: str
    seed: int


class _OfMetrics(RecordForm):
    dataset: str
    architecture: str
    scenario: str
    protocol: str
    seed: int


class _OfCell(RecordForm):
    dataset: str
    architecture: str
    scenario: str
    protocol: str


class _OfRun(RecordForm):
    seed: int


class _OfExperiment(RecordForm):
    title: str


class _OfStore(RecordForm):
    dataset: str


class _Rows(RecordForm):
    rows: list[str]


class _Attacked(RecordForm):
    of: list[list[str | int]]

    @model_validator(mode="after")
    def _are_models(self) -> Self:
        for model in self.of:
            if [type(part) for part in model] != [str, int]:
                raise ValueError(f"{shown(repr(model))[:80]} is not a row and a seed")
        return self


class _Origins(RecordForm):
    files: list[FilePath]
    given: dict[str, Any]


class _Options(RecordForm):
    options: dict[str, Any] = Field(default_factory=dict)


class _Published(RecordForm):
    name: str
    sha256: str | None = None


class _Source(RecordForm):
    content: str = ""
    files: list[_Published] = Field(default_factory=list)


class _Images(RecordForm):
    dvc: str = ""
    source: _Source = Field(default_factory=_Source)


class _OfRanking(RecordForm):
    dataset: str
    architecture: str


class _Ranking(RecordForm):
    about: _OfRanking


class _Hashes(RecordForm):
    about: _OfStore


class _Split(RecordForm):
    about: _OfSplit


class _RowsAndGolds(_Rows):
    golds: list[str] = Field(default_factory=list)


class _Metrics(RecordForm):
    about: _OfMetrics
    settings: _RowsAndGolds
    inputs: dict[str, str]

    @model_validator(mode="after")
    def _one_file_each(self) -> Self:
        files = len(self.settings.rows) + len(self.settings.golds)
        if files != len(self.inputs):
            raise ValueError(f"{files} rows and further golds of {len(self.inputs)} files")
        return self


class _Attacks(RecordForm):
    about: _OfCell
    settings: _Attacked
    inputs: dict[str, str]

    @model_validator(mode="after")
    def _one_file_each(self) -> Self:
        if len(self.settings.of) != len(self.inputs):
            raise ValueError(f"{len(self.settings.of)} models of {len(self.inputs)} files")
        return self


class _Experiment(RecordForm):
    about: _OfExperiment
    settings: _Origins


class _RunRecord(RecordForm):
    about: _OfRun


class _Store(RecordForm):
    about: _OfStore
    settings: _Options
    notes: _Images


_FORMS: Mapping[str, type[RecordForm]] = {
    "held-out": _Split,
    "half": _Split,
    "forget-set": _Split,
    "image-losses": _Ranking,
    "image-hashes": _Hashes,
    "metrics": _Metrics,
    "attacks": _Attacks,
    "shadow-attacks": _Attacks,
    "experiment": _Experiment,
    "store": _Store,
    **dict.fromkeys(MODELS, _RunRecord),
}
"""Kind of step → what its records must have besides."""


def misfit(found: Any) -> str:
    """Returns why a value is not that of a record; '' if it is."""
    try:
        _Record.model_validate(found)
        if found["kind"] in _FORMS:
            _FORMS[found["kind"]].model_validate(found)
    except ValidationError as error:
        return _malformed(error)
    return ""


def _malformed(error: ValidationError) -> str:
    first = error.errors()[0]
    place = shown(".".join(map(str, first["loc"])))
    if not place:
        return f"it is not a record: {unfit(first)}"
    if first["type"] == "missing":
        return f"it is not a record: it lacks {place}"
    if place == "format":
        stated = shown(repr(first["input"]))[:80]
        return (
            f"its format is {stated}, but this version reads {' and '.join(map(str, READ_FORMATS))}"
        )
    return f"it is not a record: {first_misfit(error)}"


def first_misfit(error: ValidationError) -> str:
    """Returns the first place that does not fit a form, and what the form says of it."""
    first = error.errors()[0]
    place = shown(".".join(map(str, first["loc"]))) or "as a whole"
    return f"{place}: {unfit(first)}"


def unfit(error: Mapping[str, Any]) -> str:
    """Returns what a form says of a value, and the value."""
    value = error["input"]
    is_short = isinstance(value, str | int | float | bool | None)
    stated = f", not {shown(repr(value))[:80]}" if is_short else ""
    return f"{error['msg'].removeprefix('Value error, ')}{stated}"
