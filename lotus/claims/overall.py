"""Joins the verdicts of all benchmarks into one of the claim: never more than was run."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lotus.claims.as_printed import AsPrinted, as_printed, places_of
from lotus.claims.evidence import Distances, Evidence
from lotus.claims.judging import FAILS, HOLDS, NOT_RUN, OPEN, Finding, judge_alike, judge_cells
from lotus.claims.remedies import Remedy, together
from lotus.claims.stated import Alike, Claim
from lotus.published.full_size import command
from lotus.published.side_by_side import PROTOCOLS
from lotus.wording import counted

PAPER, OTHER = "paper", "other"
SCOPES = (PAPER, OTHER)
"""The paper's own benchmarks, and whatever else the experiment has."""


@dataclass(frozen=True)
class Ruling:
    """The verdict of one scope under one protocol.

    Attributes:
        verdict: one of `VERDICTS`.
        why: in words.
        command: what would run it, '' if that is no question.
        data: data sets that were looked at, in words.
        findings: benchmark by benchmark.
        would_tell: what would settle it, where it cannot be told.

    """

    scope: str
    protocol: str
    verdict: str
    why: str
    command: str
    data: Sequence[str]
    findings: Sequence[Finding]
    would_tell: Sequence[Remedy] = ()


@dataclass(frozen=True)
class Judged:
    """A claim with what is printed and what was found."""

    claim: Claim
    printed: AsPrinted
    rulings: Sequence[Ruling]


def judge(
    claims: Sequence[Claim],
    cells: Sequence[Evidence],
    published: pd.DataFrame,
    audited: Sequence[Distances] = (),
) -> list[Judged]:
    """Every claim, in both scopes under both protocols.

    Over several benchmarks, of a claim about all of them: it does not hold if it is refuted in one; it
    holds if it does in each, and each of the paper's was run; else it cannot be told. Of a claim about
    some of them: it holds if it does in one, and does not if it is refuted in each. All comparisons of
    all benchmarks of one scope under one protocol err together at 5 %, so neither is helped by there
    being many.

    Args:
        cells: of whole protocols, one for each benchmark, protocol and study.
        published: as `load_published` gives it.
        audited: distances between images, for claims about data.

    """
    return [_judged(claim, cells, published, audited) for claim in claims]


def _judged(
    claim: Claim,
    cells: Sequence[Evidence],
    published: pd.DataFrame,
    audited: Sequence[Distances],
) -> Judged:
    places = places_of(claim, published)
    expected = len(claim.rule.than) if isinstance(claim.rule, Alike) else len(places)
    rulings = []
    for protocol in PROTOCOLS:
        if isinstance(claim.rule, Alike):
            findings = {PAPER: judge_alike(claim.rule, audited), OTHER: []}
        else:
            here = [cell for cell in cells if cell.protocol.base == protocol]
            findings = {
                PAPER: _findings(
                    claim, claim.items, [cell for cell in here if cell.published in places]
                ),
                OTHER: _findings(
                    claim, claim.shown_by, [cell for cell in here if cell.published is None]
                ),
            }
        rulings += [
            _of_paper(claim, protocol, findings[PAPER], expected),
            _elsewhere(claim, protocol, findings[OTHER]),
        ]
    return Judged(claim, as_printed(claim, published), rulings)


def _findings(claim: Claim, items: Sequence[str], cells: Sequence[Evidence]) -> list[Finding]:
    return judge_cells(claim.rule, [cell for cell in cells if cell.items & {*items}])


def _of_paper(claim: Claim, protocol: str, findings: Sequence[Finding], expected: int) -> Ruling:
    to_run = command(*claim.items)
    if not findings:
        why = f"None of the paper's {counted(expected, 'benchmark')} was run."
        return Ruling(PAPER, protocol, NOT_RUN, why, to_run, (), ())
    ran = len({each.published or each.title for each in findings})
    verdict, why = _together(claim, findings, missing=expected - ran)
    if ran < expected:
        why += f" Of the paper's {counted(expected, 'benchmark')}, {ran} ran."
    to_complete = to_run if ran < expected else ""
    would_tell = _would_tell(claim, verdict, findings)
    if verdict == OPEN and ran < expected:
        absent = counted(expected - ran, "benchmark")
        would_tell.append(Remedy("data", f"{absent} of the paper's that did not run: {to_run}"))
    return Ruling(
        PAPER,
        protocol,
        verdict,
        _with_remedies(why, would_tell),
        to_complete,
        _data(findings),
        findings,
        would_tell,
    )


def _elsewhere(claim: Claim, protocol: str, findings: Sequence[Finding]) -> Ruling:
    if not findings:
        why = "No other benchmark of this experiment has what the claim speaks of."
        return Ruling(OTHER, protocol, NOT_RUN, why, "", (), ())
    verdict, why = _together(claim, findings, missing=0)
    where = f"{' and '.join(_data(findings))}, not one of the paper's benchmarks"
    would_tell = _would_tell(claim, verdict, findings)
    said = _with_remedies(f"On {where}: {why}", would_tell)
    return Ruling(OTHER, protocol, verdict, said, "", _data(findings), findings, would_tell)


def _would_tell(claim: Claim, verdict: str, findings: Sequence[Finding]) -> list[Remedy]:
    """Returns what would settle a claim that cannot be told: in all open benchmarks, or in the easiest."""
    if verdict != OPEN:
        return []
    in_each = [together(each.remedies) for each in findings if each.verdict == OPEN]
    if claim.where == "some":
        return min(in_each, key=lambda of: sum(it.effort for it in of), default=[])
    return together([remedy for of in in_each for remedy in of])


def _with_remedies(why: str, would_tell: Sequence[Remedy]) -> str:
    told = [each.words for each in would_tell if each.kind != "data"]
    return f"{why} What would tell: {'; '.join(told)}." if told else why


def _together(claim: Claim, findings: Sequence[Finding], missing: int) -> tuple[str, str]:
    """The verdict over benchmarks, `missing` of which were not run."""
    held, failed, open_ = (_with(verdict, findings) for verdict in (HOLDS, FAILS, OPEN))
    if claim.where == "some":
        refuted = len(failed) == len(findings) and not missing
        verdict = HOLDS if held else FAILS if refuted else OPEN
    elif failed:
        verdict = FAILS
    else:
        verdict = OPEN if open_ or missing else HOLDS
    told = [
        f"holds in {len(held)} of {counted(len(findings), 'benchmark')}" if held else "",
        f"refuted in {_titles(failed)}" if failed else "",
        f"not settled in {_titles(open_)}" if open_ else "",
    ]
    return verdict, f"{'; '.join(filter(None, told))}."


def _with(verdict: str, findings: Sequence[Finding]) -> list[Finding]:
    return [each for each in findings if each.verdict == verdict]


def _titles(findings: Sequence[Finding]) -> str:
    return " and ".join(each.title for each in findings)


def _data(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(each.data for each in findings))
