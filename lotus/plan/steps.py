"""The one list of steps: what each job of an experiment reads, writes and is told.

The rules of the workflow look their inputs, outputs and parameters up here; the audit, `lotus restore` and
publishing hold what lies in the project against the same list.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from lotus.errors import LotusError
from lotus.plan import data_steps, model_steps, ranking_steps, report_steps
from lotus.plan.commands import run_command
from lotus.plan.contents import Contents
from lotus.plan.plan import Plan
from lotus.plan.step import ExpectedRecord, Files, Step
from lotus.plugin_files import folders_of
from lotus.records.code_identity import code_digest

Builder = Callable[[Contents], Iterator[Step]]
OfWildcards = Callable[[Mapping[str, str]], Any]
"""A function of a job's wildcards, as Snakemake calls it."""

BUILDERS: tuple[Builder, ...] = (
    data_steps.fetch_data,
    data_steps.build_store,
    data_steps.verify_store,
    data_steps.cache_stores,
    data_steps.split_held_out,
    data_steps.halve_training,
    ranking_steps.rank_images,
    ranking_steps.hash_images,
    data_steps.choose_forget_set,
    data_steps.picture_forget_set,
    model_steps.pretrain_original,
    model_steps.retrain_gold,
    model_steps.unlearn,
    model_steps.explain_forget_set,
    model_steps.try_candidates,
    model_steps.tune,
    data_steps.find_lookalikes,
    report_steps.evaluate,
    report_steps.attack,
    report_steps.measure_power,
    report_steps.attack_shadows,
    report_steps.average_metrics,
    report_steps.make_table,
    report_steps.draw_figure,
    report_steps.describe_experiment,
    report_steps.make_exhibit,
    report_steps.judge_claims,
    report_steps.write_report,
    report_steps.seal_records,
)
"""One for each kind of step, called as the kind is, in the order of the data."""
KINDS: Mapping[str, Builder] = {builder.__name__: builder for builder in BUILDERS}
ON_REQUEST = frozenset({"try_candidates", "tune"})
"""Kinds whose steps are all made by name only."""

step_code = cache(code_digest)


@dataclass(frozen=True)
class Steps:
    """All steps of a plan; those of a kind are listed when the first of them is asked for."""

    plan: Plan

    @cached_property
    def contents(self) -> Contents:
        """The tables and figures that are made of the runs."""
        return Contents(self.plan)

    def __iter__(self) -> Iterator[Step]:
        """Every step, also those that only tuning or a named target asks for."""
        for kind in KINDS:
            yield from self.of_kind(kind).values()

    @cached_property
    def of_kind(self) -> Callable[[str], Mapping[frozenset[tuple[str, str]], Step]]:
        """A function: kind → subject → step."""
        return cache(self._listed)

    def _listed(self, kind: str) -> Mapping[frozenset[tuple[str, str]], Step]:
        return {frozenset(step.subject.items()): step for step in KINDS[kind](self.contents)}

    def find(self, kind: str, subject: Mapping[str, str]) -> Step:
        """The step of a kind that is about something.

        Raises:
            LotusError: the experiment has none.

        """
        try:
            return self.of_kind(kind)[frozenset(subject.items())]
        except KeyError:
            about = ", ".join(f"{key} {name}" for key, name in subject.items())
            raise LotusError(
                f"{kind}: is not part of this experiment{f' for {about}' if about else ''}"
            ) from None

    def inputs_of(self, kind: str) -> OfWildcards:
        """For Snakemake's `unpack`: the inputs of a job by name."""
        return lambda wildcards: dict(self.find(kind, wildcards).inputs)

    def outputs_of(self, kind: str) -> Mapping[str, Files]:
        """Outputs, by name, of a kind that has one step."""
        (step,) = self.of_kind(kind).values()
        return step.outputs

    def told(self, kind: str, *names: str) -> dict[str, OfWildcards]:
        """Name → what a job is told under it."""
        return {name: self._told(kind, name) for name in names}

    def _told(self, kind: str, name: str) -> OfWildcards:
        return lambda wildcards: self.find(kind, wildcards).told[name]

    def command_of(self, kind: str) -> OfWildcards:
        """The words that make a model, but for what it computes on: see `run_command`."""
        return lambda wildcards: run_command(self.find(kind, wildcards))

    def code_of(self, kind: str) -> OfWildcards:
        """Digest of the code that a job runs; '' where no change of code asks for it again."""

        def digest(wildcards: Mapping[str, str]) -> str:
            modules = self.find(kind, wildcards).modules
            folders = folders_of(self.plan.settings.own_code)
            return step_code(*modules, folders=folders) if modules else ""

        return digest


def expected_records(plan: Plan) -> list[ExpectedRecord]:
    """Returns what the records are to state of all that `snakemake` makes by default."""
    steps = Steps(plan)
    return [
        replace(record, modules=step.modules)
        for kind in KINDS
        # To list what tuning would try takes a third of the time of all others.
        if kind not in ON_REQUEST
        for step in steps.of_kind(kind).values()
        if step.by_default
        for record in step.records
    ]


def entry_modules(plan: Plan) -> dict[str, list[tuple[str, ...]]]:
    """Kind of step → the modules in which its code begins; several where methods or networks differ."""
    steps = Steps(plan)
    return {kind: sorted({step.modules for step in steps.of_kind(kind).values()}) for kind in KINDS}
