"""Makes an attestation: draws runs, does them and other steps again, writes down what came out."""

import logging
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lotus import layout
from lotus.attest.again import Run, about, do_again, outputs_of, records_of
from lotus.attest.beforehand import refuse_absent, refuse_place, usable_gpus
from lotus.attest.signing import ATTESTATION, refuse_unusable, sign
from lotus.engine.runtime import DEFAULT
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan.commands import RESULTS, RUNS
from lotus.plan.declared import Declared, present
from lotus.plan.making import make_plan
from lotus.plan.plan import Plan
from lotus.plan.step import Step
from lotus.plan.steps import Steps
from lotus.records.attestations import FORMAT, SAME, Attestation
from lotus.records.attested_words import TOLERANCES, WHOLE, proves
from lotus.records.code_identity import package_digest
from lotus.records.draws import chances, draw
from lotus.records.environment import command_line, git_state, processor, versions
from lotus.records.files import as_text, write_text
from lotus.records.forms import first_misfit
from lotus.records.places import refuse_links_out
from lotus.records.seal import sealed
from lotus.surroundings import take_in_present_folder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttestationWish:
    """The runs and results that are to be attested, and how.

    Attributes:
        runs: how many to draw; all if there are fewer.
        seed: of the draw.
        depth: as in `lotus.records.attested_words`.
        results: whether metrics, tables, figures and claims are made again.
        device, runtime: as `--device` and `--runtime` of `lotus` take them.
        workers: processes at a time; models share a GPU one after another.
        key: SSH key that signs; None: no signature.
        out: where to write; a new file beside the results unless given.

    """

    runs: int
    seed: int
    depth: str = WHOLE
    results: bool = False
    device: str = "auto"
    runtime: str = DEFAULT
    workers: int = 1
    key: Path | None = None
    out: Path | None = None


def attest(
    configfiles: Sequence[Path], wish: AttestationWish, run: Run
) -> tuple[Path, Attestation]:
    """Makes and writes an attestation of the project in the present folder.

    Nothing that lies there is written over.

    Args:
        configfiles: see `present`.
        run: the command line, which lies above this module.

    Returns:
        Where it was written, and what it says.

    Raises:
        LotusError: this is no project, a link leads out of it, there is nothing to attest, files or the
            device are not here, or the attestation cannot be written or signed.

    """
    # Bytes that lie elsewhere would be compared, and quoted where they differ.
    refuse_links_out(layout.RESULTS, layout.STORES)
    if wish.key is not None:
        refuse_unusable(wish.key)
    started, begun = datetime.now(UTC), time.monotonic()
    refuse_place(wish.out or _place(started, "0" * 12))
    now = present(configfiles)
    steps = Steps(_with_plugins(now) if wish.runs else now.plan)
    runs, absent = _there(steps, RUNS)
    results = _there(steps, RESULTS)[0] if wish.results else {}
    if not (wish.runs or wish.results):
        raise LotusError(
            "--runs 0: nothing is asked for; accepted: 1 or more, or 0 with --metrics all"
        )
    if not (runs if wish.runs else results):
        raise LotusError(
            "no results lie here that the configuration wants, so there is nothing to attest; "
            "`snakemake --cores all` makes them"
        )
    drawn = draw(runs, wish.runs, wish.seed)
    refuse_absent([*(runs[folder] for folder in drawn), *results.values()])
    log.info("%d of %d runs, then %d other steps", len(drawn), len(runs), len(results))
    # Another would only wait for a GPU.
    gpus = usable_gpus(wish.device, wish.runtime) if drawn else 0
    workers = min(wish.workers, gpus) if gpus else wish.workers
    how = (run, wish.depth, wish.device, wish.runtime)
    found = do_again([runs[folder] for folder in drawn], *how, workers)
    of_results = do_again([*results.values()], *how, wish.workers)
    by_bytes = sum(step.finding == SAME for step in found)
    content = {
        "format": FORMAT,
        "kind": "attestation",
        "made": _made(now, started, time.monotonic() - begun),
        "draw": {
            "seed": wish.seed,
            "count": wish.runs,
            "population": list(runs),
            "absent": absent,
            "drawn": drawn,
            "depth": wish.depth,
        },
        "runs": [step.model_dump() for step in found],
        "results": [step.model_dump() for step in of_results],
        "by_bytes": by_bytes,
        "chances": chances(len(runs), by_bytes),
        "tolerances": dict(TOLERANCES),
        "proves": proves(wish.depth, bool(found), bool(of_results)),
    }
    content = sealed(content)
    attestation = _checked(content)
    return _written(content, started, wish), attestation


def _checked(content: dict[str, Any]) -> Attestation:
    try:
        return Attestation.model_validate(content)
    except ValidationError as error:
        raise LotusError(
            f"no attestation is written, since none says such a thing: {first_misfit(error)}; files may "
            "have changed while it was made"
        ) from error


def _with_plugins(now: Declared) -> Plan:
    """Returns the plan by the plug-ins themselves: they run anyway, and records must not speak for them.

    Raises:
        LotusError: one cannot be imported.

    """
    settings = now.plan.settings
    if not settings.plugins:
        return now.plan
    # Looking at results leaves it out; a plug-in can be a module that lies there.
    take_in_present_folder()
    return make_plan(settings.model_dump(mode="json"), now.origins)


def _there(steps: Steps, kinds: Iterable[str]) -> tuple[dict[str, Step], int]:
    """Returns the steps whose results lie here, by what stands for each, and the number of others."""
    wanted = [step for kind in kinds for step in steps.of_kind(kind).values() if step.by_default]
    found = {
        about(step): step
        for step in wanted
        if any(map(os.path.lexists, [*outputs_of(step), *records_of(step)]))
    }
    return found, len(wanted) - len(found)


def _made(now: Declared, started: datetime, seconds: float) -> dict[str, Any]:
    return {
        "command": command_line(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "package": package_digest(),
        **git_state(),
        "versions": dict(versions()),
        "hardware": processor(),
        "held_against": now.why,
    }


def _place(started: datetime, mark: str) -> Path:
    """Returns the place of an attestation for which no other is given."""
    return layout.ATTESTATIONS / f"{started:%Y-%m-%d}-{mark}.json"


def _written(content: dict[str, Any], started: datetime, wish: AttestationWish) -> Path:
    """Writes an attestation and its signature, both or neither; returns its place."""
    out = wish.out or _place(started, content["digest"][:12])
    with tempfile.TemporaryDirectory(prefix="lotus-attest-") as folder:
        draft = Path(folder) / out.name
        draft.write_text(as_text(content), encoding="utf-8")
        signature = (
            sign(draft, wish.key, ATTESTATION).read_text(encoding="utf-8") if wish.key else None
        )
    refuse_place(out)
    try:
        if signature is not None:
            write_text(layout.signature_of(out), signature)
        write_text(out, as_text(content))
    except OSError as error:
        raise LotusError(f"{shown(out)}: cannot be written: {error.strerror}") from error
    return out
