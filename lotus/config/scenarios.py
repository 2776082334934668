"""`scenarios`: which images are forgotten."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PositiveInt,
    model_validator,
)

from lotus.config.fields import Real, Section
from lotus.names import composed, path_form

ALIKE_WITHIN = 4
"""Bits in which the hashes of two images differ at most that look alike, where none are given."""


class Scenario(Section):
    """The images to forget: a part of every class, the first images of all, or one whole class."""

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

    @model_validator(mode="after")
    def _one_kind(self) -> "Scenario":
        kinds = ("forget_fraction", "forget_per_class", "forget_first", "forget_class")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}")
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
    def is_ranked(self) -> bool:
        """Whether images are chosen by the losses of models."""
        return self.forget_rule in ("hardest", "easiest")

    @property
    def reads(self) -> Literal["losses", "hashes"] | None:
        """What of the training images the rule goes by, besides their labels."""
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

        `…-5-per-class` and `…-fixed` may have a word before them; rules by losses or look-alikes stand
        behind: `instance-10-hardest`.
        """
        if self.forget_class is not None:
            return f"class-{path_form(self.forget_class)}"
        if self.forget_first is not None:
            return "fixed"
        return f"{self._share}{self._of_rule}"

    @property
    def _share(self) -> str:
        if self.forget_per_class is not None:
            return f"{self.forget_per_class}-per-class"
        return f"instance-{100 * (self.forget_fraction or 0):g}"

    @property
    def _of_rule(self) -> str:
        """What the name ends in; `random` may be there, and need not: older files do without."""
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
        counted = self.forget_per_class is not None or self.forget_first is not None
        ends = tuple(f"-{each}" for each in wanted)
        return name in (*wanted, self.own_name) or (counted and name.endswith(ends))


def are_whole_classes(forgotten: Iterable[int], kept: Iterable[int]) -> bool:
    """Whether forgotten images are all there is of their classes, by the labels of both sets."""
    return {*forgotten}.isdisjoint(kept)
