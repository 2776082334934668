"""The tables, as CSV (full precision) and LaTeX (as printed). One function each, by its name."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.errors import LotusError, choices
from lotus.layout import GOLD
from lotus.metrics.base import registry
from lotus.records.files import write_text
from lotus.records.record import write_record
from lotus.results.conventions import Form, form_of, protocol_of
from lotus.results.metrics import (
    KEYS,
    MODELS,
    PLACE,
    benchmark_title,
    best_rows,
    by_base,
    jsd_agreement,
    load_metrics,
    needs_gold,
    reference_of,
    row_title,
    rows_in_order,
    summarise,
    titled,
    told_keys,
    with_gold,
)
from lotus.results.run_records import load_costs, load_times
from lotus.tables.ablation import CHANGES, ablate
from lotus.tables.latex import Bold, latex_table

Table = tuple[pd.DataFrame, str]
"""The numbers, and the LaTeX."""


def write_table(name: str, sources: Sequence[Path], out: Path, record: Path) -> None:
    """Writes a table as `out`.csv and `out`.tex with its record.

    Args:
        name: which table; see `TABLES`.
        sources: metrics files (`times`, `cost`: run records).
        out: path without ending.

    Raises:
        LotusError: unknown table, or sources that are not what it is made of.

    """
    if name not in TABLES:
        raise LotusError(f"unknown table '{name}'; {choices(name, TABLES)}")
    numbers, latex = TABLES[name](sources)
    csv, tex = out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.tex")
    if "study" in numbers and (numbers["study"] == "").all():
        numbers = numbers.drop(columns="study")
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
    """One benchmark: original, gold and every method; mean and deviation over the seeds.

    In the conventions of the benchmark's own protocol; without the metrics that need gold where there
    is none.
    """
    frame = load_metrics(sources)
    summary = summarise(frame)
    forms = forms_of(frame)
    best = {form.metric: best_rows(summary, form.metric, form.resolution) for form in forms}
    body = [
        [titled(row, summary.loc[row, "collapsed"], summary.loc[row, "n"])]
        + [_bold(stated(summary, row, form), row in best[form.metric]) for form in forms]
        for row in rows_in_order(frame)
    ]
    seeds = frame["seed"].nunique()
    caption = f"{_where(frame)}. Mean ± standard deviation over {seeds} seeds."
    heads = ["", *(form.title for form in forms)]
    absent = [] if _has_gold(frame) else [name for name in summary if needs_gold(str(name))]
    numbers = summary.drop(columns=["why", *absent]).reset_index()
    return numbers, latex_table(caption, heads, body)


def forms_of(frame: pd.DataFrame) -> list[Form]:
    """Printed metrics in the convention of a frame's protocol, as far as it has what they need."""
    return [
        form_of(metric, protocol_of(frame), frame)
        for metric in registry.labels()
        if _has_gold(frame) or not needs_gold(metric)
    ]


def _has_gold(frame: pd.DataFrame) -> bool:
    return bool((frame["row"] == GOLD).any())


def stated(summary: pd.DataFrame, row: str, form: Form) -> str:
    """A cell as it is printed: scaled and rounded as its form has it."""
    value, spread = summary.at[row, form.name], summary.at[row, f"{form.name}_std"]
    return plus_minus(value * form.scale, spread * form.scale, form.decimals)


def summary(sources: Sequence[Path]) -> Table:
    """Avg Gap and JSD of every row in every benchmark, as the paper's first table.

    RF-JSD stands for both where there is no gold model. Columns are named by convention; LaTeX has one
    table per study and protocol.
    """
    frame = load_metrics(sources)
    lines, tables = [], []
    for (study, name), part in frame.groupby(["study", "protocol"], sort=False):
        rows = rows_in_order(part)
        heads, body = [""], {row: [row_title(row)] for row in rows}
        for key, cell in part.groupby(KEYS, sort=False):
            numbers = summarise(cell)
            metrics = ("avg_gap", "jsd") if _has_gold(cell) else ("rf_jsd",)
            forms = [form_of(metric, protocol_of(cell), cell) for metric in metrics]
            for form in forms:
                heads.append(f"{benchmark_title(*key[:-1])}: {form.title}")
                for row, texts in body.items():
                    texts.append(_summary_cell(numbers, row, form))
            names = [form.name + ending for form in forms for ending in ("", "_std")]
            named = numbers[["n", "collapsed", *names]].reset_index()
            lines.append(pd.DataFrame([key] * len(named), columns=KEYS).join(named))
        caption = f"{_summarised(part)}, {f'study {study}, ' if study else ''}{name}."
        tables.append(latex_table(caption, heads, list(body.values())))
    return pd.concat(lines, ignore_index=True), "\n".join(tables)


def _summarised(part: pd.DataFrame) -> str:
    measured = with_gold(part)
    if measured.empty:
        return "RF-JSD (no gold models)"
    apart = "; RF-JSD where there are none" if len(measured) < len(part) else ""
    return f"Avg Gap and JSD to the gold models{apart}"


def _summary_cell(numbers: pd.DataFrame, row: str, form: Form) -> str:
    if row not in numbers.index:
        return "–"
    if numbers.loc[row, "collapsed"]:
        return "collapsed"
    best = row in best_rows(numbers, form.metric, form.resolution)
    return _bold(stated(numbers, row, form), best)


def per_seed(sources: Sequence[Path]) -> Table:
    """Every metric of every model, one line each: what the other tables are means of.

    In all forms; numbers of collapsed models are kept, with the reason.
    """
    columns = [*KEYS, "row", "seed", *registry.columns(), "same_as_original", "collapsed"]
    frame = load_metrics(sources)[columns]
    names = [*told_keys(frame), "row", "seed"]
    body = [
        [str(line[key]) for key in names]
        + [plus_minus(line[metric], float("nan")) for metric in registry.labels()]
        + ["yes" if line["collapsed"] else ""]
        for line in frame.to_dict("records")
    ]
    heads = [{"dataset": "Data set"}.get(name, name.capitalize()) for name in names]
    return frame, latex_table(
        "Every model, textbook metrics.", [*heads, *registry.labels().values(), "Collapsed"], body
    )


def correlation(sources: Sequence[Path]) -> Table:
    """Correlation of RF-JSD with JSD over methods and seeds, per benchmark of instance forgetting.

    Of benchmarks with a gold model.
    """
    frame = with_gold(load_metrics(sources))
    lines = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].isna().all():
            continue
        found = jsd_agreement(part)[1]
        lines.append([*key, found.points, found.pearson, found.low, found.high, found.spearman])
    columns = [*KEYS, "points", "pearson", "pearson_low", "pearson_high", "spearman"]
    numbers = pd.DataFrame(lines, columns=columns)
    body = [
        [benchmark_title(*line[:5]), str(line[5]), *(f"{value:.2f}" for value in line[6:])]
        for line in lines
    ]
    heads = ["Benchmark", "Points", "Pearson", "low", "high", "Spearman"]
    return numbers, latex_table("RF-JSD against JSD.", heads, body)


def times(sources: Sequence[Path]) -> Table:
    """Seconds of training or unlearning, per benchmark and row; original and gold: of training.

    `seconds` includes `prepare_seconds`, the method's own preparation. `minutes_released_r1` is what
    the published code would state.
    """
    grouped = load_times(sources).groupby([*KEYS, "row"], sort=False)
    numbers = grouped["seconds"].agg(["mean", "std", "count"])
    numbers.columns = pd.Index(["seconds", "seconds_std", "n"])
    for name in ("prepare_seconds", "minutes_released_r1"):
        numbers[name] = grouped[name].mean()
    numbers = numbers.reset_index()
    body = [
        [
            benchmark_title(
                line.dataset,
                line.architecture,
                line.scenario or "all scenarios",
                protocol=line.protocol,
            ),
            row_title(line.row),
            plus_minus(line.seconds, line.seconds_std, 2),
            f"{line.prepare_seconds:.2f}",
            f"{line.minutes_released_r1:.2f}",
        ]
        for line in numbers.itertuples()
    ]
    heads = ["Benchmark", "", "s", "of it preparation", "minutes as released"]
    return numbers, latex_table("Seconds of training or unlearning.", heads, body)


def cost(sources: Sequence[Path]) -> Table:
    """What each model took: seconds, preparation, ratio to gold, peaks of memory; means over the seeds.

    `ratio_to_gold` is of the means, to the gold model of the same place; NaN where there is none. What
    the peaks mean: `lotus.results.run_records.load_costs`; `device_mib` is NaN on a processor.
    """
    frame = load_costs(sources)
    golds = {
        place: reference_of(part, GOLD, "seconds")
        for place, part in by_base(frame).groupby(MODELS, sort=False)
    }
    grouped = frame.groupby([*KEYS, "row"], sort=False)
    numbers = grouped[["seconds", "prepare_seconds"]].mean()
    numbers.insert(1, "seconds_std", grouped["seconds"].std())
    numbers = numbers.join(grouped[["process_mib", "device_mib"]].mean())
    numbers.insert(0, "n", grouped["seed"].nunique())
    numbers = numbers.reset_index()
    against = [golds[place] for place in numbers[MODELS].itertuples(index=False, name=None)]
    numbers.insert(10, "ratio_to_gold", numbers["seconds"] / against)
    body = [
        [
            benchmark_title(
                line["dataset"],
                line["architecture"],
                line["scenario"] or "all scenarios",
                protocol=line["protocol"],
            ),
            row_title(line["row"]),
            plus_minus(line["seconds"], line["seconds_std"], 2),
            *(plus_minus(line[name], np.nan, decimals) for name, decimals in COSTS_PRINTED.items()),
        ]
        for line in numbers.to_dict("records")
    ]
    heads = ["Benchmark", "", "s", "of it preparation", "of gold's", "process MiB", "device MiB"]
    caption = "Seconds and peak memory of training or unlearning, means over the seeds."
    return numbers, latex_table(caption, heads, body)


COSTS_PRINTED = {"prepare_seconds": 2, "ratio_to_gold": 2, "process_mib": 0, "device_mib": 0}
"""Column → decimals."""


def ablation(sources: Sequence[Path]) -> Table:
    """What single published behaviours change against `corrected`; see `lotus.tables.ablation`."""
    numbers = ablate(sources)
    body = [
        [benchmark_title(*(line[key] for key in PLACE)), line["switch"], row_title(line["row"])]
        + [_change(line, metric) for metric in CHANGES]
        for line in numbers.to_dict("records")
    ]
    heads = ["Benchmark", "Switch", "", *(registry.labels()[metric] for metric in CHANGES)]
    caption = (
        "Change against corrected, mean ± standard deviation of paired differences. E4: the "
        "released JSD ×10⁴, and the mean AG that it stands for."
    )
    return numbers, latex_table(caption, heads, body)


def _change(line: dict[Any, Any], metric: str) -> str:
    if line["collapsed"]:
        return "collapsed"
    if metric == "jsd" and line["switch"] == "E4":
        known = line["jsd_switched_mean_ag"]
        nats = "" if pd.isna(known) else f" (AG {known:.3f})"
        return f"{1e4 * line['jsd_switched']:.2f}{nats}"
    return signed(line.get(f"{metric}_change", np.nan), line.get(f"{metric}_change_std", np.nan))


TABLES: dict[str, Callable[[Sequence[Path]], Table]] = {
    "benchmark": benchmark,
    "summary": summary,
    "per-seed": per_seed,
    "correlation": correlation,
    "times": times,
    "cost": cost,
    "ablation": ablation,
}


def plus_minus(value: float, spread: float, decimals: int = 3) -> str:
    """`.123 ± .004`; a dash where there is no value, no spread for a single seed."""
    if pd.isna(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text if pd.isna(spread) else f"{text} ± {spread:.{decimals}f}"


def signed(value: float, spread: float = float("nan"), decimals: int = 3) -> str:
    """A change: `+0.123 ± 0.004`, `−0.123`; a dash where there is none."""
    if pd.isna(value):
        return "–"
    text = f"{value:+.{decimals}f}"
    if float(text) == 0:
        text = text[1:]
    text = text.replace("-", "−")
    return text if pd.isna(spread) else f"{text} ± {spread:.{decimals}f}"


def _bold(text: str, best: bool) -> str:
    return Bold(text) if best else text


def _where(frame: pd.DataFrame) -> str:
    return benchmark_title(*(str(frame[key].iloc[0]) for key in KEYS))
