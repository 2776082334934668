"""Claims and measured cells as tests of verdicts state them."""

import numpy as np
import pandas as pd

from lotus.claims.evidence import Evidence
from lotus.claims.stated import Claim
from lotus.metrics.base import registry

SEEDS = (12, 13, 3407)
CIFAR = ("cifar10", "resnet18", "instance-10")


def claim_of(rule, **more):
    content = {"id": "it", "says": "So it is.", "source": "here", "items": ["table1"], "rule": rule}
    return Claim.model_validate({**content, **more})


def rule_of(**rule):
    return claim_of(rule).rule


def cell(rows, protocol="corrected", where=CIFAR, published=None, items=("table1",), **more):
    """Rows → metric → a value for each seed; `time`: seconds; `collapsed`, `failed`: seeds that did."""
    place = dict(zip(("dataset", "architecture", "scenario"), where, strict=True))
    seeds = more.get("seeds", SEEDS)
    frame, times = [], []
    for row, metrics in rows.items():
        fallen = metrics.get("collapsed", ())
        for number, seed in enumerate(seeds):
            if seed in metrics.get("failed", ()):
                continue
            about = {**place, "study": more.get("study", ""), "protocol": protocol, "seed": seed}
            given = {
                name: values[number]
                for name, values in metrics.items()
                if name not in ("time", "collapsed", "failed")
            }
            frame.append(
                {
                    **about,
                    "row": row,
                    **dict.fromkeys(registry.columns(), np.nan),
                    **given,
                    "same_as_original": False,
                    "collapsed": "near chance" if seed in fallen else "",
                }
            )
            seconds = metrics.get("time", [1.0] * len(seeds))[number]
            line = {**about, "row": row, "seconds": seconds, "minutes_released_r1": 7 * seconds}
            times.append(line)
    frame = pd.DataFrame(frame).astype(dict.fromkeys(registry.columns(), float))
    failed = {row: of["failed"] for row, of in rows.items() if "failed" in of}
    read = frame, pd.DataFrame(times)
    return Evidence(frozenset(items), published, "some data", *read, failed=failed)


def gaps(**rows):
    """Avg Gaps by row, with a gold model."""
    return {"gold": {}, **{row.replace("_", "-"): {"avg_gap": v} for row, v in rows.items()}}


def against(*rivals, **more):
    return rule_of(kind="best", metric="avg_gap", among=list(rivals), **more)


AHEAD = {"lotus": (0.10, 0.20, 0.30), "scrub": (0.15, 0.26, 0.35), "ssd": (0.30, 0.41, 0.50)}


BEHIND = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
UNTOLD = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.1, 0.35, 0.41)}
