"""The spec of a figure, stated beside its function, and how every figure is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from lotus.figures.style import save, style
from lotus.tables.spec import Folder, Spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Section = Literal["own", "benchmark", "across", "behaviours", "data"]


@dataclass(frozen=True)
class OnPage:
    """The things that a figure's caption may depend on.

    Attributes:
        about: data set, architecture, scenario, protocol and study, as far as it is about one.
        is_first: whether it is the first of its kind in its section of the page.
        has_both_protocols: whether the experiment has both.
        has_gold_everywhere: whether all cells that it stands beside have a gold model.

    """

    about: Mapping[str, str] = field(default_factory=dict)
    is_first: bool = True
    has_both_protocols: bool = True
    has_gold_everywhere: bool = True


@dataclass(frozen=True, kw_only=True)
class FigureSpec(Spec):
    """The spec of a figure.

    Attributes:
        draw: its function, from the sources to the figure.
        section: where the page draws it: in its entry (`own`), in the section of its benchmark, or in
            that across benchmarks, on published behaviours, or on data.
        caption: what is drawn and how to read it.
        alt: what is seen, for those who do not see it.
        anchor: where on the page its entry leads to, if the figure itself is not always drawn.
        is_ours: whether the paper has none like it.
        target: as which the workflow makes it; '': its name. Of those with an entry alone.

    """

    draw: Callable[[Sequence[Path]], Figure]
    folder: Folder = "figures"
    section: Section = "own"
    caption: str | Callable[[OnPage], str]
    alt: str
    anchor: str = ""
    is_ours: bool = True
    target: str = ""

    @property
    def item(self) -> str:
        """Returns what it is called as a target of the workflow, and by the paper's claims."""
        return self.target or self.name

    @property
    def targets(self) -> Sequence[str]:
        """Returns the targets of the workflow that it alone has."""
        return (self.item,) if self.has_entry else ()

    def caption_on(self, page: OnPage) -> str:
        """Returns its caption at one place of the page."""
        return self.caption if isinstance(self.caption, str) else self.caption(page)

    def write(self, sources: Sequence[Path], out: Path) -> list[Path]:
        """Draws the figure as `out`.svg, .pdf and .png, and returns these.

        Raises:
            LotusError: sources that are not what it is made of.

        """
        with style():
            return save(self.draw(sources), out)

    def mistakes(self) -> Iterator[str]:
        """Yields what is wrong with it, in words."""
        yield from super().mistakes()
        if not callable(self.draw):
            yield f"draw = {self.draw!r} is not a function"
        if self.section not in get_args(Section):
            yield f"section = {self.section!r}; accepted: {', '.join(get_args(Section))}"
        if not isinstance(self.caption, str) and not callable(self.caption):
            yield (
                f"caption = {self.caption!r} is neither text nor a function of the figure's "
                "place on the page"
            )
        for key in ("alt", "anchor", "target"):
            if not isinstance(getattr(self, key), str):
                yield f"{key} = {getattr(self, key)!r} is not text"
        if not self.caption or not self.alt:
            yield "caption and alt say how to read it, and what is seen: neither may be empty"
