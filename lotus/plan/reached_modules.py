"""The page `docs/code-identity.md`: which modules each kind of step reaches, and is made anew for."""

from collections.abc import Iterable, Sequence

from lotus.plan.plan import Plan
from lotus.plan.steps import entry_modules
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
What all of them reach stands first; then, entry by entry, what comes to it.
`tests/plan/test_reached_modules.py` holds this page against the code and names the command that renews
it.
"""


def page(plan: Plan) -> str:
    """Returns the text of the page (Markdown), for the kinds of steps that a plan has."""
    parts = [INTRODUCTION]
    for kind, entries in entry_modules(plan).items():
        entries = [entry for entry in entries if entry]
        if entries:
            parts.append("\n".join(_of_kind(kind, entries)))
    return "\n".join(parts)


def _of_kind(kind: str, entries: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines on one kind: the modules that all of its steps reach, and what is more for some."""
    reached = {entry: frozenset(reach(*entry).texts) for entry in entries}
    common = frozenset.intersection(*reached.values())
    lines = [f"## `{kind}`", "", "| room | modules |", "| --- | --- |", *_by_room(common), ""]
    if len(entries) > 1:
        lines += ["| begins in | reaches besides |", "| --- | --- |"]
        for entry, modules in reached.items():
            own = [name for name in entry if name not in common]
            lines.append(f"| {_named(own)} | {_named(sorted(modules - common - {*own})) or '–'} |")
        lines.append("")
    return lines


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
    """Modules without the name of the package, in a cell of a table."""
    return ", ".join(f"`{module.removeprefix(f'{PACKAGE}.')}`" for module in modules)
