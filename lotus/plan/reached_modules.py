"""The page `docs/code-identity.md`: which modules each kind of step reaches, and is made anew for."""

from collections.abc import Iterable, Sequence

from lotus.plan.plan import Plan
from lotus.plan.steps import KINDS, entry_modules
from lotus.records.code_identity import reach
from lotus.surroundings import PACKAGE

INTRODUCTION = """# What invalidates what

Each record states the identity of the code that its step ran, and a step is made anew when this
changes. The identity is a digest of the syntax of the modules below: those in which the step begins,
and all that they can reach by their imports. Comments, docstrings, line breaks, descriptions of
configuration keys, and annotations that nothing reads as it runs do not count, so a reworded sentence
recomputes nothing. A plug-in of yours counts with every module beside it that it imports. Libraries
are not part of it; records state their versions. Nor are the modules that say in a record by what a
step was run (`BOOKKEEPING` in `lotus/records/code_identity.py`), on which no result depends.

Steps of one kind can begin in different modules, as each method and each figure is a file of its own.
What all of them reach stands first; then what some of them reach besides, each module once: an edit of
it makes their steps anew.
The steps are those of the configurations in `config/`, which together have every kind.

`tests/plan/test_reached_modules.py` holds this page against the code and names the command that renews
it.
"""


def page(plans: Iterable[Plan]) -> str:
    """Returns the text of the page (Markdown), for the kinds of steps that some of the plans have."""
    entries = [entry_modules(plan) for plan in plans]
    parts = [INTRODUCTION]
    for kind in KINDS:
        of_kind = sorted({entry for each in entries for entry in each[kind] if entry})
        if of_kind:
            parts.append("\n".join(_of_kind(kind, of_kind)))
    return "\n".join(parts)


def _of_kind(kind: str, entries: Iterable[tuple[str, ...]]) -> list[str]:
    """Lines on one kind: the modules that all of its steps reach, and what is more for some."""
    common = frozenset.intersection(*(frozenset(reach(*entry).texts) for entry in entries))
    lines = [f"## `{kind}`", "", "| room | modules |", "| --- | --- |", *_by_room(common), ""]
    # A step begins in several modules, as a method and a network, and reaches what each of them reaches.
    own = sorted({name for entry in entries for name in entry} - common)
    if own:
        lines += [f"They begin in {_named(own)}.", ""]
    if besides := _besides(own, common):
        lines += ["| what begins in | reaches besides |", "| --- | --- |"]
        lines += [f"| {_those(who, own)} | {_named(modules)} |" for who, modules in besides]
        lines.append("")
    return lines


def _besides(own: Sequence[str], common: frozenset[str]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Returns each module that some reach besides, with those who do; first what most of them reach."""
    reached_by: dict[str, list[str]] = {}
    for name in own:
        for module in reach(name).texts.keys() - common - {name}:
            reached_by.setdefault(module, []).append(name)
    together: dict[tuple[str, ...], list[str]] = {}
    for module, who in reached_by.items():
        together.setdefault(tuple(who), []).append(module)
    return sorted(together.items(), key=lambda item: (-len(item[0]), item[0]))


def _those(who: Sequence[str], own: Sequence[str]) -> str:
    """Modules in which steps begin, or the few that are not among them."""
    others = [name for name in own if name not in who]
    return f"all but {_named(others)}" if len(others) < len(who) else _named(who)


def _by_room(modules: Iterable[str]) -> list[str]:
    """Rows of a table: room of the package, and its modules."""
    rooms: dict[str, list[str]] = {}
    for module in sorted(modules):
        _, _, inside = module.partition(".")
        room, _, rest = inside.partition(".")
        if module.startswith(f"{PACKAGE}.") and rest:
            rooms.setdefault(room, []).append(rest)
        elif inside:
            rooms.setdefault(room, [])
    return [
        f"| `{room}` | {', '.join(f'`{name}`' for name in names) or '–'} |"
        for room, names in rooms.items()
    ]


def _named(modules: Iterable[str]) -> str:
    """Modules in a cell of a table."""
    return ", ".join(f"`{_short(module)}`" for module in sorted(modules)) or "–"


def _short(module: str) -> str:
    """A module's name without that of the package."""
    return module.removeprefix(f"{PACKAGE}.")
