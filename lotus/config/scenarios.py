"""`scenarios`: which images are forgotten."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    WithJsonSchema,
    model_validator,
)

from lotus.config.fields import Real, Section, as_list
from lotus.names import composed, path_form

ALIKE_WITHIN = 4
"""Bits in which the hashes of two images differ at most that look alike, where none are given."""


KINDS = (
    *("forget_fraction", "forget_per_class", "forget_first", "forget_class"),
    *("forget_list", "forget_where", "forget_glob"),
)
"""Keys of a scenario that say what is forgotten; each scenario has one."""
LISTS = (".csv", ".txt")


def _is_list(path: str) -> str:
    if not path.lower().endswith(LISTS):
        raise ValueError(f"must be a file that ends in {' or '.join(LISTS)}")
    return path


def _as_texts(value: Any) -> Any:
    """Column → the texts of which an image must have one; whole numbers count as they are written."""
    if not isinstance(value, Mapping):
        return value
    if not value:
        raise ValueError("needs a column and its value, as {subject: 17}")
    return {
        composed(name) if isinstance(name, str) else name: _texts_of(name, given)
        for name, given in value.items()
    }


def _texts_of(column: Any, given: Any) -> tuple[str, ...]:
    values = list(given) if isinstance(given, list | tuple) else [given]
    if not values:
        raise ValueError(f"{column}: needs a value")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(
                f"{column}: must be text or a whole number, or a list of such, not {value!r}; write it "
                "in quotes"
            )
    return tuple(composed(str(value)).strip() for value in values)


_OF_COLUMN = {"type": ["string", "integer"]}
Columns = Annotated[
    dict[str, Annotated[tuple[str, ...], Field(strict=False)]],
    BeforeValidator(_as_texts),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "anyOf": [_OF_COLUMN, {"type": "array", "items": _OF_COLUMN, "minItems": 1}]
            },
        }
    ),
]
_PATTERN = {"type": "string", "minLength": 1}
Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(as_list),
    Field(min_length=1, strict=False),
    WithJsonSchema({"anyOf": [_PATTERN, {"type": "array", "items": _PATTERN, "minItems": 1}]}),
]


class Scenario(Section):
    """The images to forget: a part of every class, the first of all, one whole class, or single images."""

    forget_fraction: Annotated[Real, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of each class that is forgotten, in (0, 1). For `instance-…`."
    )
    forget_per_class: PositiveInt | None = Field(
        None, description="So many images of each class. For `…-N-per-class`."
    )
    forget_first: PositiveInt | None = Field(
        None,
        description="The first so many training images in data-set order, whatever their class. For "
        "`…-fixed`: MUFAC's forget set is the first rows of its list.",
    )
    forget_rule: Literal["first", "random", "hardest", "easiest", "duplicates"] = Field(
        "first",
        description="Which images of a class: `first` in data-set order, as the paper's code, hence "
        "the same for every seed; `random`: drawn with the run's seed; `hardest`, `easiest`: with the "
        "highest or lowest loss under models that were not trained on them; `duplicates`: whole clusters "
        "of images that look alike, the largest of all classes first. The name of the scenario ends in "
        "the rule (`instance-10-hardest`).",
    )
    ranked_by: str | None = Field(
        None,
        description="Architecture whose losses rank images for `hardest` and `easiest`; by default the "
        "first of `architectures`.",
    )
    alike_within: Annotated[int, Field(ge=0, le=8)] | None = Field(
        None,
        description="Bits of 64 in which the hashes of look-alikes may differ, for `duplicates`; 0 to 8, "
        "by default 4.",
    )
    forget_class: Annotated[str, Field(min_length=1), AfterValidator(composed)] | None = Field(
        None,
        description="Name of the class that is forgotten, as the data set writes it (`Ankle boot`). For "
        "`class-…`.",
    )
    forget_list: Annotated[str, AfterValidator(_is_list)] | None = Field(
        None,
        description="File that lists the training images to forget, relative to the project: a CSV file "
        "with a column `name` or `id`, or a text file with one a line. A name is the image's path in its "
        "data set, or as much of its end as no other image has; an id its place in the store. For "
        "`…-listed`.",
    )
    forget_where: Columns | None = Field(
        None,
        description="All training images with these values in columns of the CSV file that they stand in: "
        "{subject: 17}, or {subject: [17, 18]} for any of these. For `…-listed`.",
    )
    forget_glob: Patterns | None = Field(
        None,
        description="All training images whose name fits a pattern, or one of several: `subject17/*`. `*` "
        "and `?` stand for what has no slash in it, `**` for folders. For `…-listed`.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Scenario":
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"give one of {', '.join(KINDS)}")
        if self.forget_rule != "first" and not self.has_rule:
            raise ValueError(
                f"forget_rule = {self.forget_rule} works only with forget_fraction and forget_per_class"
            )
        if self.forget_rule == "duplicates" and self.forget_fraction is None:
            raise ValueError(
                "forget_rule = duplicates works only with forget_fraction: not every class has images "
                "that look alike"
            )
        if self.ranked_by is not None and not self.is_ranked:
            raise ValueError("ranked_by works only with forget_rule hardest and easiest")
        if self.alike_within is not None and self.forget_rule != "duplicates":
            raise ValueError("alike_within works only with forget_rule duplicates")
        return self

    @property
    def kind(self) -> str:
        """The key that says what is forgotten."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def is_listed(self) -> bool:
        """Whether images are forgotten one by one: those in a list, of a column's value, of a pattern."""
        return self.kind in ("forget_list", "forget_where", "forget_glob")

    @property
    def is_ranked(self) -> bool:
        """Whether images are chosen by the losses of models."""
        return self.forget_rule in ("hardest", "easiest")

    @property
    def reads(self) -> Literal["losses", "hashes"] | None:
        """Returns what the rule has to know of the training images besides their labels, if anything."""
        if self.is_ranked:
            return "losses"
        return "hashes" if self.forget_rule == "duplicates" else None

    @property
    def distance(self) -> int:
        """Bits of 64 in which the hashes of look-alikes may differ."""
        return ALIKE_WITHIN if self.alike_within is None else self.alike_within

    @property
    def forgets_a_class(self) -> bool:
        """Whether the forget set is a whole class; its split says so too (`ForgetSet.class_forgetting`)."""
        return self.forget_class is not None

    @property
    def depends_on_seed(self) -> bool:
        """Whether each seed has a forget set of its own."""
        return self.forget_rule == "random"

    @property
    def has_rule(self) -> bool:
        """Whether images have to be chosen from each class."""
        return self.forget_fraction is not None or self.forget_per_class is not None

    def told(self, architecture: str) -> dict[str, Any]:
        """The section without the keys that do not apply, with the architecture that ranks images.

        Args:
            architecture: that which ranks unless another is named.

        """
        section = self.model_dump(exclude_none=True)
        if not self.has_rule:
            del section["forget_rule"]
        return {"ranked_by": architecture, **section} if self.is_ranked else section

    @property
    def canonical_name(self) -> str:
        """`instance-10` for a tenth of every class, `class-ankle-boot` for the class Ankle boot.

        `…-5-per-class`, `…-fixed` and `…-listed` may have a word before them; rules by losses or
        look-alikes stand behind: `instance-10-hardest`.
        """
        if self.forget_class is not None:
            return f"class-{path_form(self.forget_class)}"
        if self.forget_first is not None:
            return "fixed"
        if self.is_listed:
            return "listed"
        return f"{self._share}{self._of_rule}"

    @property
    def _share(self) -> str:
        if self.forget_per_class is not None:
            return f"{self.forget_per_class}-per-class"
        return f"instance-{100 * (self.forget_fraction or 0):g}"

    @property
    def _of_rule(self) -> str:
        """Returns the end of the name; `random` may be there, and need not: older files do without."""
        return "" if self.forget_rule in ("first", "random") else f"-{self.forget_rule}"

    @property
    def own_name(self) -> str:
        """The canonical name, of a class with digits that no other class's name has."""
        if self.forget_class is None:
            return self.canonical_name
        return f"class-{path_form(self.forget_class, told_apart=True)}"

    def is_called(self, name: str) -> bool:
        """Whether `name` says what is forgotten."""
        wanted = [self.canonical_name]
        if self.forget_rule == "random":
            wanted.append(f"{self._share}-random")
        has_words = self.kind in ("forget_per_class", "forget_first") or self.is_listed
        ends = tuple(f"-{each}" for each in wanted)
        return name in (*wanted, self.own_name) or (has_words and name.endswith(ends))


def are_whole_classes(forgotten: Iterable[int], kept: Iterable[int]) -> bool:
    """Whether forgotten images are all there is of their classes, by the labels of both sets."""
    return {*forgotten}.isdisjoint(kept)
