"""Attestations: what was computed again of the results, by whom, and what came out.

`lotus attest` writes them (fields: `Attestation`); audit, page and crate read them. Anybody can write one.
So what can be checked is checked: its seal, that the draw is the one of its seed, that findings and chances
follow from the rest, that it states all files of a step, and proves in words what it does, and whether the
files that it speaks of have the digests that it states. Who wrote it, a signature says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from lotus import layout
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown
from lotus.records.attested_words import PICTURES, TOLERANCES, WHOLE, proves
from lotus.records.draws import chances, draw
from lotus.records.forms import Digest, FilePath, RecordForm, first_misfit
from lotus.records.places import is_named_outside, leads_out
from lotus.records.seal import is_sealed
from lotus.wording import counted

FORMAT = 1
SAME, CLOSE, UNCOMPARED, OTHER, FAILED = (
    "same bytes",
    "within tolerances",
    "not compared",
    "other",
    "failed",
)
FINDINGS = (SAME, CLOSE, UNCOMPARED, OTHER, FAILED)
"""Findings, the worse later; that of a step is the worst of its files."""
REFUTED = (OTHER, FAILED)


def _is_finding(text: str) -> str:
    if text not in FINDINGS:
        raise ValueError(f"accepted: {', '.join(FINDINGS)}")
    return text


Finding = Annotated[str, AfterValidator(_is_finding)]
Count = Annotated[int, Field(ge=0)]


class _AttestationForm(RecordForm):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def _is_inside(path: str) -> str:
    if is_named_outside(path):
        raise ValueError(f"'{shown(path)}' does not lie in the project")
    return path


OwnPath = Annotated[FilePath, AfterValidator(_is_inside)]
"""The path of a file of the project."""


class AttestedFile(_AttestationForm):
    """One output of a step, its record among them.

    Attributes:
        there: sha256 of the file that lay there; None: there was none.
        again: sha256 of the file that was made again; None: there was none. That of a record is always
            another one, since it states times; its finding is about all else.
        said: what differs, in words.

    """

    there: Digest | None
    again: Digest | None
    finding: Finding
    said: str = ""


class AttestedStep(_AttestationForm):
    """A step that was done again.

    Attributes:
        kind: as in `lotus.plan.steps`.
        about: the folder of a run, the first output of another step.
        command: the line that the plan has for it.
        device: on which it was done again: `cpu`, or the name of a GPU; '' of a step without a model.
        elsewhere: in what the recorded machine or versions differ from those that did it again; '': in
            nothing, and then only the same bytes will do.
        inputs: sha256 of what it was made of again.
        files: outputs by path.
        said: why it failed.

    """

    kind: str
    about: OwnPath
    command: str
    finding: Finding
    device: str
    elsewhere: str
    seconds: float
    inputs: dict[FilePath, Digest]
    files: dict[OwnPath, AttestedFile]
    said: str = ""


class Draw(_AttestationForm):
    """Which runs were drawn.

    Attributes:
        population: folders of the runs that the configuration wants and that lay there.
        absent: number of runs that the configuration wants and that did not.

    """

    seed: Count
    count: Count
    population: list[OwnPath]
    absent: Count
    drawn: list[OwnPath]
    depth: Literal["whole runs", "predictions from weights"]


class Chance(_AttestationForm):
    """See `lotus.records.draws.chances`."""

    share: float
    forged: int
    missed: float
    with_replacement: float

    def missed_in_words(self) -> str:
        """Returns the chance to miss all forged runs, to three digits."""
        return "less than 0.001" if 0 < self.missed < 0.001 else f"{self.missed:.3f}"


class _Making(_AttestationForm):
    command: str
    started: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    seconds: float
    package: str
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    held_against: str


class Attestation(_AttestationForm):
    """The content of an attestation.

    Attributes:
        made: by which command and code, on which machine, against which configuration.
        runs: what was found of the drawn runs.
        results: what was found of metrics, tables, figures and claims; empty unless asked for.
        by_bytes: number of drawn runs of which the same bytes came out.
        chances: see `lotus.records.draws.chances`, for `by_bytes` drawn runs.
        tolerances: by what "within tolerances" was judged, in words.
        proves: what this can show and what not, in words.

    """

    format: Literal[1]
    kind: Literal["attestation"]
    made: _Making
    draw: Draw
    runs: list[AttestedStep]
    results: list[AttestedStep]
    by_bytes: Count
    chances: list[Chance]
    tolerances: dict[str, str]
    proves: list[str]
    digest: Digest

    @model_validator(mode="after")
    def _follows(self) -> Self:
        """Refuses what does not follow from the rest."""
        drawn = self.draw
        if len({*drawn.population}) != len(drawn.population):
            raise ValueError("a run stands twice in the population")
        if drawn.drawn != draw(drawn.population, drawn.count, drawn.seed):
            raise ValueError(f"the drawn runs are not those of seed {drawn.seed}")
        if [step.about for step in self.runs] != drawn.drawn:
            raise ValueError("the runs that it reports are not those that were drawn")
        if self.by_bytes != sum(step.finding == SAME for step in self.runs):
            raise ValueError(f"by_bytes is not the number of runs found to be '{SAME}'")
        if [it.model_dump() for it in self.chances] != chances(
            len(drawn.population), self.by_bytes
        ):
            raise ValueError("the chances do not follow from the draw")
        if self.tolerances != TOLERANCES:
            raise ValueError("the tolerances are not those by which this version judges")
        if self.proves != proves(drawn.depth, bool(self.runs), bool(self.results)):
            raise ValueError("it says that it proves something else than such an attestation does")
        for step in self.runs:
            if not step.said and {*step.files} != _files_of_run(step.about, drawn.depth):
                raise ValueError(f"{step.about}: the files that it states are not those of the run")
        for step in self.results:
            if not step.said and not _are_of_result(step):
                raise ValueError(
                    f"{step.about}: the files that it states are not a result and its record"
                )
        for step in self.steps:
            _refuse_findings(step)
        _refuse_contradictions(self.steps)
        return self

    @property
    def steps(self) -> tuple[AttestedStep, ...]:
        """All steps that were done again."""
        return (*self.runs, *self.results)

    @property
    def files(self) -> dict[str, str]:
        """Path → sha256 of every output that lay there and was held against what came out."""
        return {
            path: file.there
            for step in self.steps
            for path, file in step.files.items()
            if file.there is not None
        }

    @property
    def inputs(self) -> dict[str, str]:
        """Path → sha256 of what the steps were done again with, as far as it lies in the project."""
        return {
            path: digest
            for step in self.steps
            for path, digest in step.inputs.items()
            if not is_named_outside(path)
        }

    def differences(self) -> Iterator[str]:
        """Yields a line for each difference that it states."""
        for step in self.steps:
            for path, file in step.files.items():
                if file.finding in REFUTED:
                    yield f"{path}: {file.said}"
            if step.said:
                yield f"{step.about}: cannot be made again: {step.said}"

    @property
    def missed(self) -> list[Chance]:
        """The chances to miss forged runs, where something can be said by them: no drawn run differs."""
        differs = any(step.finding in REFUTED for step in self.runs)
        return [] if differs or not self.by_bytes else self.chances

    def summary(self) -> str:
        """Returns what was done and found, in one sentence."""
        drawn, of = len(self.runs), len(self.draw.population)
        parts = []
        if drawn:
            what = "made again whole" if self.draw.depth == WHOLE else "asked for predictions again"
            parts.append(f"{drawn} of {counted(of, 'run')} (seed {self.draw.seed}) {what}")
        if self.results:
            parts.append(f"{counted(len(self.results), 'step')} from predictions to claims")
        counts = {it: sum(step.finding == it for step in self.steps) for it in FINDINGS}
        found = ", ".join(f"{count} {finding}" for finding, count in counts.items() if count)
        return f"{' and '.join(parts) or 'nothing made again'}: {found or 'nothing found'}"


def _files_of_run(folder: str, depth: str) -> set[str]:
    """Returns what is stated of a run that was made again; weights that were only asked are none of it."""
    files = layout.run_files(Path(folder))
    return {str(path) for name, path in files.items() if depth == WHOLE or name != "model"}


def _are_of_result(step: AttestedStep) -> bool:
    """Whether the files of a step are results without a model, and the records of these."""
    records = {path for path in step.files if layout.is_record(Path(path))}
    outputs = [path for path in step.files if path not in records]
    is_of_run = any(Path(path).name == layout.RUN_RECORD for path in records)
    return step.about in outputs and not is_of_run and records == {*map(_record_of, outputs)}


def _record_of(path: str) -> str:
    return str(layout.record_of(Path(path)))


def _refuse_findings(step: AttestedStep) -> None:
    """Refuses findings that do not follow from digests, and from those of the files that of the step."""
    for path, file in step.files.items():
        if file.finding not in _possible(path, file, bool(step.elsewhere)):
            raise ValueError(f"{path}: its finding does not follow from its digests")
    findings = [file.finding for file in step.files.values()]
    if step.finding != worst([*findings, FAILED] if step.said else findings):
        raise ValueError(f"{step.about}: its finding does not follow from its files")


def _possible(path: str, file: AttestedFile, is_elsewhere: bool) -> tuple[str, ...]:
    """Returns the findings that a file with such digests can have."""
    if file.there is None or file.again is None:
        return (OTHER,)
    if layout.is_record(Path(path)):
        return (SAME, OTHER)
    if file.there == file.again:
        return (SAME,)
    if not is_elsewhere:
        return (OTHER,)
    return (UNCOMPARED,) if Path(path).suffix in PICTURES else (CLOSE, OTHER)


def _refuse_contradictions(steps: Sequence[AttestedStep]) -> None:
    """Refuses a file that two steps have made, or of which two digests are stated."""
    made = [(path, file.there) for step in steps for path, file in step.files.items()]
    if len(made) != len(dict(made)):
        raise ValueError("a file stands in two steps")
    stated = {path: there for path, there in made if there is not None}
    for step in steps:
        for path, digest in step.inputs.items():
            if stated.setdefault(path, digest) != digest:
                raise ValueError(f"{path}: is stated with two digests")


def worst(findings: Sequence[str]) -> str:
    """Returns the worst of some findings."""
    return max(findings, key=FINDINGS.index, default=SAME)


class FoundAttestation(_AttestationForm):
    """An attestation as it was found.

    Attributes:
        path: relative to the project.
        content: None where it cannot be trusted.
        problem: why not; else ''.

    """

    path: str
    content: Attestation | None = None
    problem: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether a signature lies beside it; whether it is a good one is another question."""
        return layout.is_signed(Path(self.path))


def find_attestation(path: Path) -> FoundAttestation:
    """Returns the attestation in a file, sound or not."""
    name = path.as_posix()
    try:
        text = read_file(path)
        content = parse_json(text)
        attestation = Attestation.model_validate(content)
    except OSError as error:
        return FoundAttestation(path=name, problem=f"cannot be read: {error.strerror}")
    except ValidationError as error:
        return FoundAttestation(path=name, problem=f"not an attestation: {first_misfit(error)}")
    except ValueError as error:
        return FoundAttestation(path=name, problem=f"not JSON: {error}")
    if not is_sealed(text, attestation.digest):
        problem = "it was edited: it does not have the digest that it states"
        return FoundAttestation(path=name, problem=problem)
    return FoundAttestation(path=name, content=attestation)


def find_attestations(paths: Iterable[Path] | None = None) -> list[FoundAttestation]:
    """Returns the attestations at some places; those that lie beside the results, by path, unless given."""
    return [
        FoundAttestation(path=path.as_posix(), problem="a link, which could lead anywhere")
        if path.is_symlink() or leads_out(path)
        else find_attestation(path)
        for path in (layout.attestations() if paths is None else paths)
    ]


def outdated(attestation: Attestation, now: Mapping[str, str]) -> list[str]:
    """Returns the outputs and inputs whose digest is another one now.

    Args:
        now: path → sha256 as it is now; what is not in it is not looked at, '' is absent.

    """
    stated = {**attestation.inputs, **attestation.files}
    return [path for path, digest in stated.items() if path in now and now[path] != digest]
