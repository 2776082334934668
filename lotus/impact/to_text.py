"""What rests on something as lines for the terminal."""

from collections.abc import Iterable, Iterator, Sequence

from lotus.impact.impact import Impact, TouchedRun
from lotus.impact.numbers import TouchedLine
from lotus.impact.verdicts import TouchedVerdict
from lotus.names import shown
from lotus.results.titles import row_title, title_of_run
from lotus.wording import all_of, counted

SCOPES = {"paper": "the paper's benchmarks", "other": "other data"}


def lines(impact: Impact, is_brief: bool = False) -> Iterator[str]:
    """Yields what was asked, the counts, and unless it is to be brief each thing."""
    return map(shown, _lines(impact, is_brief))


def _lines(impact: Impact, is_brief: bool) -> Iterator[str]:
    yield impact.start.title
    yield from (f"  {said}" for said in impact.start.said)
    yield ""
    yield f"On it rest {_counts(impact)}."
    if impact.untold:
        yield (
            f"{counted(len(impact.untold), 'record')} cannot be trusted, {impact.untold[0]} the first: "
            f"what rests on them cannot be told (lotus audit)."
        )
    if is_brief:
        return
    models = [run for run in impact.runs if not run.says]
    yield from _part("Runs", _runs(models))
    said = [run for run in impact.runs if run.says]
    yield from _part("Runs of which only what the model says rests on it", _runs(said))
    yield from _part("Numbers", _numbers(impact.lines))
    yield from _part("Figures", impact.figures)
    yield from _part("Verdicts", _verdicts(impact.verdicts))
    yield from _part("Other files", impact.others)


def _counts(impact: Impact) -> str:
    in_tables = f" of {counted(impact.tables, 'table')}" if impact.lines else ""
    claims = len({verdict.claim for verdict in impact.verdicts})
    of_claims = f" on {counted(claims, 'claim')}" if claims else ""
    return all_of(
        [
            counted(len(impact.runs), "run"),
            counted(impact.numbers, "number", form=",d") + in_tables,
            counted(len(impact.figures), "figure"),
            counted(len(impact.verdicts), "verdict") + of_claims,
            counted(len(impact.others), "other file"),
        ]
    )


def _part(title: str, entries: Iterable[str]) -> Iterator[str]:
    found = list(entries)
    if found:
        yield ""
        yield title
        yield from (f"  {entry}" for entry in found)


def _runs(runs: Sequence[TouchedRun]) -> Iterator[str]:
    """A line for each benchmark and row, with its seeds."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for run in runs:
        about = run.record.about
        place = title_of_run(about), row_title(str(about.get("row", "")))
        seeds.setdefault(place, []).append(int(about["seed"]))
    for (where, row), of_row in seeds.items():
        named = "seed" if len(of_row) == 1 else "seeds"
        yield f"{where}: {row}, {named} {all_of([str(seed) for seed in sorted(of_row)])}"


def _numbers(touched: Sequence[TouchedLine]) -> Iterator[str]:
    """A line for each row of a table that `lotus lineage` can be asked about, column by column."""
    path = ""
    for line in touched:
        if line.path != path:
            path = line.path
            yield path
        keys = "".join(f":{key}={value}" for key, value in line.where.items())
        yield f"  {line.row}:({'|'.join(line.columns)}){keys}"


def _verdicts(verdicts: Sequence[TouchedVerdict]) -> Iterator[str]:
    for it in verdicts:
        where = f": {'; '.join(it.benchmarks)}" if it.benchmarks else ""
        yield f"{it.claim}, {it.protocol}, {SCOPES.get(it.scope, it.scope)}: {it.verdict}{where}"
