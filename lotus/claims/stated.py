"""The paper's claims as `report/claims.yaml` states them: each with a rule that can be checked."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from lotus.config.fields import Name, PositiveReal, Section
from lotus.errors import LotusError, choices
from lotus.formats.yaml_text import read_yaml
from lotus.metrics.base import registry
from lotus.results.titles import dataset_title, legible, row_title
from lotus.wording import all_of

BASELINES = (
    *("finetune", "neggrad-plus", "random-labeling", "bad-teacher"),
    *("scrub", "ssd", "unsir", "salun"),
)
"""The paper's eight methods beside LoTUS."""
TIME = "time"


def metric_titles() -> dict[str, str]:
    """Returns the titles of what a rule may be about: metrics of which some values are better, and time."""
    named = {spec.name: spec for spec in registry.specs().values() if spec.better}
    printed = {name: spec.label for name, spec in named.items() if spec.is_printed}
    return {**printed, TIME: "time", **{name: spec.label for name, spec in named.items()}}


def is_higher_better(metric: str) -> bool:
    """Whether higher values of what a rule is about are the better ones."""
    return metric != TIME and registry.specs()[metric].better == "higher"


def _known_metric(name: Any) -> Any:
    if isinstance(name, str) and name not in metric_titles():
        raise ValueError(f"unknown metric; {choices(name, metric_titles())}")
    return name


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Metric = Annotated[str, BeforeValidator(_known_metric)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Place = tuple[str, str, str]
"""Data set, architecture, scenario, by the names of the published reference."""


def _as_place(value: Any) -> Any:
    parts = tuple(str(value).split("/"))
    if len(parts) != 3:
        raise ValueError("accepted: DATASET/ARCHITECTURE/SCENARIO, such as cifar10/vit/instance-10")
    return parts


class Best(Section):
    """A row is first by a metric, or among the first few."""

    kind: Literal["best"]
    row: Name = "lotus"
    metric: Metric
    rank: int = Field(1, ge=1)
    among: Names = BASELINES

    def words(self) -> str:
        """The rule for a reader."""
        end = "highest" if is_higher_better(self.metric) else "lowest"
        place = f"the {end}" if self.rank == 1 else f"one of the {self.rank} {end} values of"
        return (
            f"{row_title(self.row)} has {place} {metric_titles()[self.metric]}, beside "
            f"{listed(self.among)}; exact ties share a place"
        )


class Smaller(Section):
    """Rows have a smaller value than others, each than each."""

    kind: Literal["smaller"]
    row: Names
    than: Names
    metric: Metric

    def words(self) -> str:
        """The rule for a reader."""
        each = " each" if len(self.row) > 1 else ""
        less = f"{metric_titles()[self.metric]} less than that of {listed(self.than)}"
        return f"{listed(self.row)}{each}: {less}"


class Within(Section):
    """A row is not worse than another by more than a margin: a difference, or a factor above 1."""

    kind: Literal["within"]
    row: Name
    than: Name
    metric: Metric
    margin: PositiveReal | None = None
    factor: Annotated[float, Field(gt=1)] | None = None

    def words(self) -> str:
        """The rule for a reader."""
        by = f"{self.margin:g}" if self.margin is not None else f"a factor of {self.factor:g}"
        return (
            f"{metric_titles()[self.metric]} of {row_title(self.row)} is worse than that of "
            f"{row_title(self.than)} by no more than {by}"
        )


class Correlated(Section):
    """RF-JSD and JSD go together over the models of a benchmark."""

    kind: Literal["correlation"]
    at_least: Annotated[float, Field(gt=-1, lt=1)]

    def words(self) -> str:
        """The rule for a reader."""
        return (
            f"Pearson correlation of RF-JSD and JSD over the models is at least {self.at_least:g}"
        )


class StandsOut(Section):
    """Forgotten images are, or are not, conspicuously uncertain beside unseen ones."""

    kind: Literal["streisand"]
    row: Name
    stands_out: bool
    margin: PositiveReal

    def words(self) -> str:
        """The rule for a reader."""
        does = "exceeds" if self.stands_out else "does not exceed"
        return (
            "how far predictions on forget images are more uncertain than those on test images "
            f"(one-sided Kolmogorov–Smirnov distance of the entropies) {does}, for {row_title(self.row)}, "
            f"that of gold by more than {self.margin:g}"
        )


class Alike(Section):
    """Forget and retain images of one data set are more alike than those of others."""

    kind: Literal["alike"]
    dataset: Name
    than: Names

    def words(self) -> str:
        """The rule for a reader."""
        others = " and in ".join(dataset_title(name) for name in self.than)
        return (
            f"at every distance of perceptual hashes, a larger share of the pairs of a forget and a retain "
            f"image is at least that close in {dataset_title(self.dataset)} than in {others}"
        )


Rule = Best | Smaller | Within | Correlated | StandsOut | Alike
KINDS: dict[str, type[Section]] = {
    "best": Best,
    "smaller": Smaller,
    "within": Within,
    "correlation": Correlated,
    "streisand": StandsOut,
    "alike": Alike,
}


class Claim(Section):
    """One claim.

    Attributes:
        says: the claim in plain words.
        source: where the paper says it, as far as it could be read.
        items: items of the paper that it speaks of; as targets of the workflow they run it.
        places: benchmarks of the paper that it speaks of; (): all that its items print.
        elsewhere: labels of the cells that show it beside the paper's benchmarks; None: its items.
        where: whether it has to be so in every benchmark or in some.
        note: what in the rule is ours.

    """

    id: Name
    says: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    items: Names
    places: Annotated[
        tuple[Annotated[Place, BeforeValidator(_as_place)], ...], BeforeValidator(_as_tuple)
    ] = ()
    elsewhere: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)] | None = None
    where: Literal["every", "some"] = "every"
    rule: Annotated[Rule, Field(discriminator="kind")]
    note: str = ""

    @property
    def shown_by(self) -> tuple[str, ...]:
        """Labels of cells that show it, beside the paper's benchmarks."""
        return self.items if self.elsewhere is None else self.elsewhere

    def words(self) -> str:
        """The rule for a reader."""
        place = "In every benchmark" if self.where == "every" else "In at least one benchmark"
        return f"{place}: {self.rule.words()}."


def load_claims(path: Path) -> tuple[Claim, ...]:
    """The claims, in the order of the file.

    Raises:
        LotusError: absent, not YAML, a key stands twice, or a claim is not as it should be: one line, with
            file, claim, key, value and what is accepted.

    """
    content = read_yaml(path).content
    if not (isinstance(content, list) and content and all(isinstance(e, dict) for e in content)):
        raise LotusError(
            f"{path}: accepted: a list of claims, each with id, says, source, items, rule"
        )
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(content, start=1):
        place = f"{path}: claim {legible(str(entry.get('id', f'number {number}')))}"
        claim = _claim(entry, place)
        if claim.id in claims:
            raise LotusError(f"{place}: two claims have this id; each needs its own")
        claims[claim.id] = claim
    return tuple(claims.values())


def _claim(entry: dict[str, Any], place: str) -> Claim:
    try:
        claim = TypeAdapter(Claim).validate_python(entry)
    except ValidationError as error:
        raise LotusError(_explain(error.errors()[0], place)) from None
    if isinstance(claim.rule, Within) and (claim.rule.margin is None) == (
        claim.rule.factor is None
    ):
        raise LotusError(f"{place}: rule: accepted: either margin or factor")
    return claim


def _explain(details: ErrorDetails, place: str) -> str:
    """One mistake; pydantic's path also has the kind of the rule."""
    parts = [str(part) for part in details["loc"]]
    kind = parts.pop(1) if parts[:1] == ["rule"] and len(parts) > 1 and parts[1] in KINDS else None
    section = KINDS[kind] if kind else Claim
    key = legible(".".join(parts))
    match details["type"]:
        case "extra_forbidden":
            return f"{place}: {key}: unknown key; {choices(parts[-1], section.model_fields)}"
        case "missing":
            return f"{place}: {key}: is required"
        case "union_tag_invalid" | "union_tag_not_found":
            given = details["input"].get("kind") if isinstance(details["input"], dict) else None
            said = f" = {given!r}" if given is not None else ""
            return f"{place}: rule.kind{said}: {choices(str(given or ''), KINDS)}"
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    shown = "" if isinstance(details["input"], dict) else f" = {details['input']!r}"
    return f"{place}: {key}{shown}: {message}"


def listed(rows: tuple[str, ...]) -> str:
    """Rows by their titles."""
    return all_of([row_title(row) for row in rows])
