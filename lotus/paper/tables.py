"""The tables, as CSV (full precision) and LaTeX (as printed). One function each, by its name."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lotus.errors import LotusError, choices
from lotus.paper.results import (
    KEYS,
    METRICS,
    TITLES,
    benchmark_title,
    best_rows,
    jsd_agreement,
    load_metrics,
    row_title,
    rows_in_order,
    summarise,
)
from lotus.provenance import write_record, write_text

PRINTED = tuple(TITLES)
Table = tuple[pd.DataFrame, str]
"""The numbers, and the LaTeX."""


def write_table(name: str, sources: Sequence[Path], out: Path, record: Path) -> None:
    """Writes a table as `out`.csv and `out`.tex with its record.

    Args:
        name: which table; see `TABLES`.
        sources: metrics files (`times`: run records).
        out: path without ending.

    Raises:
        LotusError: unknown table, or sources that are not what it is made of.

    """
    if name not in TABLES:
        raise LotusError(f"unknown table '{name}'; {choices(name, TABLES)}")
    numbers, latex = TABLES[name](sources)
    csv, tex = out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.tex")
    write_text(csv, numbers.to_csv(index=False, lineterminator="\n"))
    write_text(tex, latex)
    write_record(
        record,
        kind="table",
        modules=[__name__],
        about={"table": name},
        settings={},
        inputs=list(sources),
        outputs=[csv, tex],
    )


def benchmark(sources: Sequence[Path]) -> Table:
    """One benchmark: original, gold and every method; mean and deviation over the seeds."""
    frame = load_metrics(sources)
    summary = summarise(frame)
    best = {metric: best_rows(summary, metric) for metric in PRINTED}
    body = [
        [row_title(row)]
        + [
            _bold(
                plus_minus(summary.loc[row, metric], summary.loc[row, f"{metric}_std"]),
                row in best[metric],
            )
            for metric in PRINTED
        ]
        for row in rows_in_order(frame)
    ]
    seeds = frame["seed"].nunique()
    caption = f"{_where(frame)}. Mean $\\pm$ standard deviation over {seeds} seeds."
    return summary.reset_index(), latex_table(caption, ["", *TITLES.values()], body)


def summary(sources: Sequence[Path]) -> Table:
    """Avg Gap and JSD of every row in every benchmark, as the paper's first table."""
    frame = load_metrics(sources)
    lines, body, heads = [], {row: [row_title(row)] for row in rows_in_order(frame)}, [""]
    for key, part in frame.groupby(KEYS, sort=False):
        numbers = summarise(part)
        for metric in ("avg_gap", "jsd"):
            heads.append(f"{benchmark_title(*key)}: {TITLES[metric]}")
            best = best_rows(numbers, metric)
            for row in body:
                value, spread = numbers.loc[row, metric], numbers.loc[row, f"{metric}_std"]
                body[row].append(_bold(plus_minus(value, spread), row in best))
        columns = ["n", "avg_gap", "avg_gap_std", "jsd", "jsd_std"]
        named = numbers[columns].reset_index()
        lines.append(pd.DataFrame([key] * len(named), columns=KEYS).join(named))
    latex = latex_table("Avg Gap and JSD to the gold models.", heads, list(body.values()))
    return pd.concat(lines, ignore_index=True), latex


def per_seed(sources: Sequence[Path]) -> Table:
    """Every metric of every model, one line each: what the other tables are means of."""
    frame = load_metrics(sources)[[*KEYS, "row", "seed", *METRICS, "same_as_original"]]
    body = [
        [str(line[key]) for key in [*KEYS, "row", "seed"]]
        + [plus_minus(line[metric], float("nan")) for metric in PRINTED]
        for line in frame.to_dict("records")
    ]
    heads = ["Data set", "Architecture", "Scenario", "Row", "Seed", *TITLES.values()]
    return frame, latex_table("Every model.", heads, body)


def correlation(sources: Sequence[Path]) -> Table:
    """Correlation of RF-JSD with JSD over methods and seeds, per benchmark of instance forgetting."""
    frame = load_metrics(sources)
    lines = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].isna().all():
            continue
        found = jsd_agreement(part)[1]
        lines.append([*key, found.points, found.pearson, found.low, found.high, found.spearman])
    columns = [*KEYS, "points", "pearson", "pearson_low", "pearson_high", "spearman"]
    numbers = pd.DataFrame(lines, columns=columns)
    body = [
        [benchmark_title(*line[:3]), str(line[3]), *(f"{value:.2f}" for value in line[4:])]
        for line in lines
    ]
    heads = ["Benchmark", "Points", "Pearson", "low", "high", "Spearman"]
    return numbers, latex_table("RF-JSD against JSD.", heads, body)


def times(sources: Sequence[Path]) -> Table:
    """Seconds of training or unlearning, per benchmark and row; original and gold: of training."""
    numbers = load_times(sources)
    grouped = numbers.groupby([*KEYS, "row"], sort=False)["seconds"]
    spread = grouped.agg(["mean", "std", "count"]).reset_index()
    body = [
        [
            benchmark_title(line.dataset, line.architecture, line.scenario or "all scenarios"),
            row_title(line.row),
            plus_minus(line.mean, line.std, 2),
        ]
        for line in spread.itertuples()
    ]
    columns = {"mean": "seconds", "std": "seconds_std", "count": "n"}
    latex = latex_table("Seconds of training or unlearning.", ["Benchmark", "", "s"], body)
    return spread.rename(columns=columns), latex


TABLES: dict[str, Callable[[Sequence[Path]], Table]] = {
    "benchmark": benchmark,
    "summary": summary,
    "per-seed": per_seed,
    "correlation": correlation,
    "times": times,
}


def load_times(records: Sequence[Path]) -> pd.DataFrame:
    """One line per run record: data set, architecture, scenario ('' for originals), row, seed, seconds.

    Raises:
        LotusError: a file is not a run's record.

    """
    lines = []
    for path in records:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            about, seconds = record["about"], record["time"]
            phase = seconds.get("unlearn", seconds.get("train"))
            line = [about["dataset"], about["architecture"], about.get("scenario", "")]
            lines.append([*line, about["row"], about["seed"], float(phase)])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LotusError(f"{path}: not the record of a run: {error!r}") from error
    return pd.DataFrame(lines, columns=[*KEYS, "row", "seed", "seconds"])


def plus_minus(value: float, spread: float, decimals: int = 3) -> str:
    """`.123 ± .004`; a dash where there is no value, no spread for a single seed."""
    if pd.isna(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text if pd.isna(spread) else f"{text} ± {spread:.{decimals}f}"


def _bold(text: str, best: bool) -> str:
    return f"\\textbf{{{text}}}" if best else text


def _where(frame: pd.DataFrame) -> str:
    return benchmark_title(*(str(frame[key].iloc[0]) for key in KEYS))


def latex_table(caption: str, heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table environment for LaTeX with booktabs."""
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_latex(caption)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        "\\toprule",
        " & ".join(_latex(head) for head in heads) + r" \\",
        "\\midrule",
        *(" & ".join(_latex(cell) for cell in row) + r" \\" for row in body),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex(text: str) -> str:
    replaced = {"±": "$\\pm$", "–": "--", "_": "\\_", "%": "\\%", "&": "\\&", "#": "\\#"}
    for character, written in replaced.items():
        text = text.replace(character, written)
    return text
