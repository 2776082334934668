"""The verdicts as files: every number that was used (JSON), and a table (CSV, LaTeX) with its record."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.claims.comparisons import PairedComparison
from lotus.claims.evidence import distances, evidence, files_read
from lotus.claims.judging import Finding
from lotus.claims.overall import PAPER, Judged, Ruling, judge
from lotus.claims.stated import load_claims
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.published.numbers import load_published
from lotus.published.side_by_side import PROTOCOLS
from lotus.records.files import write_json, write_text
from lotus.records.record import write_record
from lotus.results.experiment import read_experiment
from lotus.results.intervals import Interval
from lotus.tables.latex import latex_table

METHOD = (
    "Decided over the seeds, pair by pair, by t intervals of the paired differences (of times: ratios). "
    "All comparisons of one verdict (of a claim, under a protocol, on the paper's benchmarks or on "
    "others), of all rivals in all its benchmarks, are wrong together at an error of 5 % (Holm's "
    "correction): each interval is printed at the level at which it decides. In a benchmark a claim holds "
    "where it lies on its side against every rival, and does not hold where that of a rival lies on the "
    "other side. Otherwise, and with a single seed, it cannot be told. Equal differences are as uncertain "
    "as what so many images resolve; rows that are one and the same model share a place. Rows that are as "
    "close to gold as another gold have no rank against each other. A rival that collapsed in every seed, "
    "of two at least, counts as beaten; one that did in some is judged by the other seeds. A row that "
    "collapsed fails. A run that failed made no model: it counts as if it had not run. A claim about "
    "every benchmark holds if it does in each and all of the paper's were run, and does not hold if it is "
    "refuted in one; a claim about some holds if it does in one. Correlations have intervals over whole "
    "methods (the span of a bootstrap and of Fisher's z), corrected alike. Metrics are those of the "
    "protocol: textbook under corrected, as published under released."
)
FORMAT = 2


def write_verdicts(
    claims: Path, published: Path, experiment: Path, out: Path, table: Path, record: Path
) -> None:
    """Judges all claims and writes `out`, `table`.csv and `table`.tex, and the record.

    Args:
        claims: `report/claims.yaml`.
        published: folder of the published reference.
        experiment: what `lotus describe` wrote.
        out: the JSON.
        table: path without ending.

    Raises:
        LotusError: a file is not as it should be, or a result that the experiment names is absent.

    """
    read = read_experiment(experiment)
    judged = judge(load_claims(claims), evidence(read), load_published(published), distances(read))
    write_json(out, as_json(judged))
    csv, tex = table.with_name(f"{table.name}.csv"), table.with_name(f"{table.name}.tex")
    write_text(csv, as_table(judged).to_csv(index=False, lineterminator="\n"))
    write_text(tex, as_latex(judged))
    write_record(
        record,
        kind="table",
        modules=[__name__],
        about={"table": "claims"},
        settings={},
        inputs=[claims, *sorted(published.glob("*.csv")), experiment, *files_read(read)],
        outputs=[csv, tex, out],
    )


def read_verdicts(path: Path) -> dict[str, Any]:
    """Reads what `as_json` gave, for the report.

    Raises:
        LotusError: absent, damaged or something else.

    """
    content = read_mapping(path)
    if content.get("format") != FORMAT or "claims" not in content:
        raise LotusError(
            f"{path}: these are not verdicts that `lotus claims` wrote in format {FORMAT}; run it again"
        )
    return content


def as_json(judged: Sequence[Judged]) -> dict[str, Any]:
    """Everything, as plain values; what is not a number or without bound is null.

    `claims`: each with its words, what is printed, and `rulings` (scope × protocol) with their `findings`
    (benchmarks) and these with `comparisons`: advantage, interval, level and the values of each seed,
    `measures`: metrics that the verdict rests on, and `failed`: rows that it speaks of, with seeds in which
    the method made no model. What cannot be told has `would_tell`: a list of `kind` (models, measure, seeds
    or data; the first has to be there before the others help), `words`, and how many `seeds` in all.
    """
    return {
        "format": FORMAT,
        "method": METHOD,
        "claims": [
            {
                "id": each.claim.id,
                "says": each.claim.says,
                "source": each.claim.source,
                "items": list(each.claim.items),
                "rule": each.claim.words(),
                "note": each.claim.note,
                "printed": _plain(asdict(each.printed)),
                "rulings": [_ruling(ruling) for ruling in each.rulings],
            }
            for each in judged
        ],
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "scope": ruling.scope,
        "protocol": ruling.protocol,
        "verdict": ruling.verdict,
        "why": ruling.why,
        "command": ruling.command,
        "data": list(ruling.data),
        "would_tell": [asdict(remedy) for remedy in ruling.would_tell],
        "findings": [_finding(finding) for finding in ruling.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "benchmark": finding.title,
        "published": "/".join(finding.published) if finding.published else None,
        "verdict": finding.verdict,
        "why": finding.why,
        "would_tell": [asdict(remedy) for remedy in finding.remedies],
        "failed": {row: list(seeds) for row, seeds in finding.failed.items()},
        "numbers": _plain(dict(finding.numbers)),
        "measures": list(finding.measures),
        "comparisons": [_comparison(each) for each in finding.comparisons],
    }


def _comparison(each: PairedComparison) -> dict[str, Any]:
    found = {
        "row": each.row,
        "other": each.other,
        "metric": each.metric,
        "unit": each.unit,
        "status": each.status,
        "bound": each.bound,
        "floor": each.floor,
        "inside_floor": each.is_inside,
        "advantage": _interval(each.advantage) if each.advantage is not None else None,
        "p_value": each.p_value,
        "values": {str(seed): value for seed, value in each.values},
        "other_values": {str(seed): value for seed, value in each.other_values},
    }
    return {key: _plain(value) for key, value in found.items()}


def _interval(found: Interval) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("mean", "low", "high", "level", "n")}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """A line for each claim, scope and protocol."""
    return pd.DataFrame(
        [
            {
                "claim": each.claim.id,
                "says": each.claim.says,
                "items": " ".join(each.claim.items),
                "published": each.printed.verdict,
                "published_exceptions": "; ".join(each.printed.exceptions),
                "scope": ruling.scope,
                "protocol": ruling.protocol,
                "verdict": ruling.verdict,
                "why": ruling.why,
                "would_tell": "; ".join(remedy.kind for remedy in ruling.would_tell),
                "benchmarks": len(ruling.findings),
                "command": ruling.command,
            }
            for each in judged
            for ruling in each.rulings
        ]
    )


def as_latex(judged: Sequence[Judged]) -> str:
    """Claims against verdicts; in each cell the paper's benchmarks, then the others where some ran."""
    body = [
        [each.claim.id, each.printed.verdict, *(_stated(each, name) for name in PROTOCOLS)]
        for each in judged
    ]
    heads = ["Claim", "Published numbers", *(name.capitalize() for name in PROTOCOLS)]
    caption = (
        "The paper's claims. Verdicts on its own benchmarks; after the semicolon on other data."
    )
    return latex_table(caption, heads, body)


def _stated(judged: Judged, protocol: str) -> str:
    by_scope = {each.scope: each for each in judged.rulings if each.protocol == protocol}
    others = [each.verdict for scope, each in by_scope.items() if scope != PAPER and each.findings]
    return "; ".join([by_scope[PAPER].verdict, *others])
