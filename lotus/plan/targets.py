"""Targets of the workflow: names, and files of the experiment; and the answer to any other."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.errors import choices
from lotus.figures.registry import FIGURES
from lotus.names import shown
from lotus.plan.contents import Contents, PlannedItem
from lotus.plan.plan import Plan
from lotus.plan.report_steps import files_of, first_file, recorded_outputs
from lotus.plan.steps import Steps
from lotus.records.files import sha256
from lotus.records.ledger import record_files
from lotus.tables.registry import PAPER_TABLES

RENAMED = {"audit": "lookalikes"}
"""Targets of earlier versions."""


@dataclass(frozen=True)
class Targets:
    """The targets of an experiment."""

    steps: Steps

    @property
    def _plan(self) -> Plan:
        return self.steps.plan

    @property
    def _contents(self) -> Contents:
        return self.steps.contents

    @cached_property
    def named(self) -> Mapping[str, Sequence[str]]:
        """Name → files of what can be made alone: parts of the grid, each item of the paper or of ours.

        Of figures of single cells those that the configuration names for the item, if it names any.
        """
        made = {part: self._outputs_of(cells) for part, cells in self._plan.parts.items()}
        for table in self._contents.paper_tables:
            targets = PAPER_TABLES.spec(table.kind).targets
            made |= dict.fromkeys(targets, files_of(table, "table"))
        for spec in FIGURES.specs.values():
            drawn = [it for it in self._contents.figures if it.kind == spec.name]
            for target in spec.targets:
                wanted = self._plan.labelled.get(target, ())
                made[target] = [first_file(it, "figure") for it in _about(drawn, wanted) or drawn]
        made["claims"] = [str(layout.CLAIMS)]
        if self._contents.on_request:
            forms = {"tables": "table", "figures": "figure"}
            made["power"] = [first_file(it, forms[it.folder]) for it in self._contents.on_request]
        return made

    @cached_property
    def lookalikes(self) -> list[str]:
        """Files of `snakemake lookalikes`: the images that look alike, and the figures of the data sets."""
        drawn = [it for it in self._contents.figures if it.name.startswith("data-")]
        audits = self._contents.audits(self._plan.settings.datasets)
        return [*audits, *(first_file(it, "figure") for it in drawn)]

    @cached_property
    def final(self) -> list[str]:
        """Everything that is recorded, and the ledger of all records."""
        return [*recorded_outputs(self._contents), str(layout.LEDGER)]

    def _outputs_of(self, cells: Sequence[Benchmark]) -> list[str]:
        """Returns the files of a part of the grid: runs and metrics, and each cell's tables and figures."""
        contents = self._contents
        measured = list(dict.fromkeys(self._plan.measured(cell) for cell in cells))
        tables = [it for it in contents.tables if it.kind == "benchmark"]
        return [
            *(
                path
                for name in layout.RUN_FILES.values()
                for path in contents.run_files(name, measured)
            ),
            *contents.metrics(measured),
            *(first_file(it, "table") for it in _about(tables, cells)),
            *(first_file(it, "figure") for it in _about(contents.figures, cells)),
        ]

    def cells_of(self, target: str) -> Sequence[Benchmark]:
        """Benchmarks that a target is about: those of a part or item, or that a path names; else all."""
        plan = self._plan
        items = {of.alias: name for name, of in PAPER_TABLES.specs.items()}
        item = items.get(target, target)
        if item in plan.parts:
            return plan.parts[item]
        if item in PAPER_TABLES.names:
            return ()
        scenarios = [name for name in plan.settings.scenarios if name in target]
        here = [cell for cell in plan.cells if cell.dataset in target]
        return [cell for cell in here if not scenarios or cell.scenario in scenarios] or plan.cells

    def complaints(self, asked: Iterable[str], rules: Mapping[str, bool]) -> list[str]:
        """A line for each target that cannot be made: what is wrong with it, and what there is.

        Args:
            rules: name of each rule → whether it has wildcards, so that it cannot be a target.

        """
        said = (self._complaint(target, rules) for target in asked)
        return [shown(line) for line in said if line]

    def _complaint(self, target: str, rules: Mapping[str, bool]) -> str:
        """'' of what can be made, and of files that are no results."""
        if target in rules:
            return self._of_rule(target, rules)
        path = Path(os.path.relpath(target)) if target else Path()
        if len(path.parts) == 1 and path != layout.RESULTS and not path.exists():
            renamed = RENAMED.get(target)
            if renamed:
                return f"{target}: there is no such target; it is called '{renamed}'"
            return f"{target}: there is no such target; {choices(target, _offered(rules))}"
        if path.as_posix() in self._files or not _is_place_of_ours(path):
            return ""
        return self._of_file(path)

    def _of_rule(self, target: str, rules: Mapping[str, bool]) -> str:
        if rules[target]:
            return (
                f"{target}: this rule is for many files and is not a target; "
                f"{choices(target, _offered(rules))}"
            )
        if target == "tune" and not self.steps.of_kind("tune"):
            return (
                "tune: this experiment tunes nothing; its configuration has no `tuning` with "
                "`spaces` of its methods"
            )
        return ""

    def _of_file(self, path: Path) -> str:
        """Says of a place that is not part of the experiment what there is beside it."""
        for folder in (path, *path.parents):
            depth = len(folder.parts)
            inside = {
                file.parts[depth] for it in self._files if folder in (file := Path(it)).parents
            }
            if inside:
                break
        if folder == path:
            return f"{path}: is a folder and not a file; in it: {choices('', inside)}"
        return f"{path}: is not part of this experiment; in {folder}/: {choices(path.parts[depth], inside)}"

    @cached_property
    def _files(self) -> Collection[str]:
        """Everything that some step writes."""
        return {path for step in self.steps for path in step.files}


def _about(items: Iterable[PlannedItem], cells: Collection[Benchmark]) -> list[PlannedItem]:
    """Tables or figures that are of one of these cells."""
    labels = [cell.labels for cell in cells]
    return [item for item in items if item.about in labels]


def _offered(rules: Mapping[str, bool]) -> list[str]:
    """Targets to be shown: those with an underscore are steps that targets consist of."""
    return [name for name, has_wildcards in rules.items() if not has_wildcards and "_" not in name]


def _is_place_of_ours(path: Path) -> bool:
    """Whether only steps write there, so that a file that no step writes cannot be had."""
    if path.is_relative_to(layout.RESULTS):
        return True
    return (
        path.is_relative_to(layout.STORES) or path.is_relative_to(layout.RAW)
    ) and not path.exists()


def records_of_others(steps: Steps) -> list[str]:
    """Records here, with their digests, that are of no step of this plan: of `tune`, of other experiments.

    The ledger holds them too, and is made anew when they change.
    """
    own = {record.path for step in steps if step.by_default for record in step.records}
    others = [path for path in map(str, record_files()) if path not in own]
    return [f"{path} {sha256(Path(path))}" for path in others]
