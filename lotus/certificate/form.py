"""The form of a certificate; `lotus certificate verify` believes no other.

Anybody can write one. What can be checked is checked: its seal, that its page says the same, and that the
files it speaks of are here with the bytes that it states. Who wrote it, a signature says.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from lotus import layout
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown
from lotus.records.forms import Digest, FilePath, Number, RecordForm, first_misfit
from lotus.records.seal import is_sealed

FORMAT = 1
KIND = "certificate"
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Thing = TypeVar("Thing")


def _each_once(name: Callable[[Thing], str]) -> AfterValidator:
    """Refuses a list without anything, or with a thing twice."""

    def checked(things: list[Thing]) -> list[Thing]:
        names = Counter(map(name, things))
        if not names:
            raise ValueError("names none")
        (first, times) = names.most_common(1)[0]
        if times > 1:
            raise ValueError(f"names {shown(first)} twice")
        return things

    return AfterValidator(checked)


class _CertificateForm(RecordForm):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class File(_CertificateForm):
    """A file by its bytes."""

    path: FilePath
    sha256: Digest


class ForgottenImage(_CertificateForm):
    """One image that was to be forgotten.

    Attributes:
        id: its position in the data set.
        name: as its owner calls it; '' where images have no names.
        label: the name of its class.
        sha256: of its file; where it was none of its own, of its pixels.
        of: whose digest it is, `file` or `pixels`.

    """

    id: Count
    name: str
    label: str
    sha256: Digest
    of: Literal["file", "pixels"]


class ForgetRequest(_CertificateForm):
    """The request: which images were to be forgotten, and of what.

    Attributes:
        rule: which images, in words.
        digest: of the forget set, as its split states it.
        kept: number of retain images.

    """

    dataset: str
    scenario: str
    rule: str
    digest: Digest
    images: Annotated[list[ForgottenImage], _each_once(lambda it: f"image {it.id}")]
    kept: Count


class Unlearning(_CertificateForm):
    """The run that unlearned them.

    Attributes:
        command: by which the run can be repeated.
        checkpoint: the file that the original came from; None where it was trained here.
        tensors: digest of the unlearned weights by their tensors, whatever file they lie in
            (`lotus.models.tensor_digest`).

    """

    method: str
    hyperparameters: dict[str, Any]
    protocol: str
    seed: Count
    started: str
    seconds: Number
    command: str
    original: File
    checkpoint: File | None
    unlearned: File
    tensors: Digest


class MetricLine(_CertificateForm):
    """A number of the original, of the unlearned model and, where one was retrained, of a gold model.

    Attributes:
        floor: the same number of another gold; of distances the floor under them.

    """

    label: str
    before: Number | None
    after: Number | None
    gold: Number | None
    floor: Number | None


class AttackLine(_CertificateForm):
    """Findings of a membership attack, over the seeds that there are.

    Attributes:
        images: forget images that it was made on.
        reference_models: models that it compares with.
        before, after: AUC of the original and of the unlearned model; None where it could not be run.
        low, high: 95 % interval of `after`.

    """

    label: str
    images: Count
    reference_models: Count
    before: Share | None
    after: Share | None
    low: Share | None
    high: Share | None


class Measured(_CertificateForm):
    """The measured numbers; `collapsed` says why the model is useless, if it is."""

    collapsed: str
    lines: list[MetricLine]
    attacks: list[AttackLine]
    absent: list[str]


class Noticed(_CertificateForm):
    """On how many of so many models a check raised alarm."""

    alarms: Count
    models: Count


class CheckPower(_CertificateForm):
    """How one check fared on models whose truth is known."""

    label: str
    golds: Noticed
    nothing: Noticed
    half: Noticed
    lookup: Noticed
    temperature: Noticed
    train_mode: Noticed


class Strength(_CertificateForm):
    """How strong the checks are here; `unknown` says why that is not known, else it is ''."""

    unknown: str
    checks: list[CheckPower]


class LookAlike(_CertificateForm):
    """A retain image that looks like a forgotten one.

    Attributes:
        bits: in which their perceptual hashes differ, of 64.
        same_pixels: whether the two are equal pixel by pixel.

    """

    forgotten: Count
    kept: Count
    kept_name: str
    bits: Count
    same_pixels: bool


class LookAlikes(_CertificateForm):
    """Retain images that look like forgotten ones, the nearest first.

    Attributes:
        within: bits in which hashes may differ.
        found: number of pairs; the list may be cut.

    """

    within: Count
    found: Count
    pairs: list[LookAlike]


class Environment(_CertificateForm):
    """Where the model was made.

    Attributes:
        code: digest of the modules that the run could reach.
        dirty: whether sources differed from the commit.

    """

    code: str
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, Any]


class Made(_CertificateForm):
    """How the certificate was made."""

    command: str
    started: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]


class Certificate(_CertificateForm):
    """The whole.

    Attributes:
        files: everything that the model and its numbers were made of, down to the source files.
        records: of the steps → their identities, the chain by which they name each other.

    """

    format: Literal[1]
    kind: Literal["certificate"]
    run: FilePath
    asked: ForgetRequest
    done: Unlearning
    measured: Measured
    strength: Strength
    look_alikes: LookAlikes
    proves: list[str]
    does_not_prove: list[str]
    files: Annotated[list[File], _each_once(lambda it: it.path)]
    records: dict[FilePath, Digest]
    environment: Environment
    made: Made
    digest: Digest

    @model_validator(mode="after")
    def _is_of_one_run(self) -> Self:
        for contradiction in self._contradictions():
            raise ValueError(contradiction)
        return self

    def _contradictions(self) -> Iterator[str]:
        """Yields what cannot be true of one unlearned model."""
        model = (Path(self.run) / layout.MODEL_FILE).as_posix()
        record = (Path(self.run) / layout.RUN_RECORD).as_posix()
        if self.done.unlearned.path != model:
            yield f"done.unlearned: is {shown(self.done.unlearned.path)}, not {shown(model)}"
        if self.done.original.path == model:
            yield "done.original: is the unlearned model"
        for name in ("unlearned", "original"):
            if getattr(self.done, name) not in self.files:
                yield f"done.{name}: is not among the files with these bytes"
        if record not in self.records:
            yield f"records: lacks {shown(record)}"


def parse_certificate(path: Path, text: bytes) -> Certificate:
    """Returns what a file states.

    Raises:
        LotusError: it is no certificate, of a newer format, or its text was edited.

    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise LotusError(f"{shown(path)}: is not a certificate: {error}") from error
    if (
        isinstance(content, dict)
        and content.get("kind") == KIND
        and content.get("format") != FORMAT
    ):
        raise LotusError(
            f"{shown(path)}: is a certificate of format {shown(str(content.get('format')))}; this "
            f"version reads format {FORMAT}"
        )
    try:
        found = Certificate.model_validate(content)
    except ValidationError as error:
        raise LotusError(f"{shown(path)}: is not a certificate: {first_misfit(error)}") from None
    if not is_sealed(text, found.digest):
        raise LotusError(
            f"{shown(path)}: was edited: its digest is not that of its text, so it certifies nothing"
        )
    return found


def read_certificate(path: Path) -> Certificate:
    """Reads a certificate.

    Raises:
        LotusError: absent, or as `parse_certificate`.

    """
    try:
        text = read_file(path)
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    return parse_certificate(path, text)
