"""What rests on a run is what lineage leads from to it: both ways agree, cell by cell."""

import random
from itertools import chain

import pytest

from lotus.impact.impact import find_impact
from lotus.lineage.cells import inputs_of, parse_cell, read_cell
from lotus.lineage.plan_nodes import plan_nodes
from lotus.records.index import read_index

RUN = "results/digits/resnet18/seed13/class-three/corrected/{}"


@pytest.fixture(scope="module")
def index(results, request):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(results.parent)
        yield read_index()


def rests_on(index, given, file):
    """Whether the way back from a number leads to a file."""
    cell = parse_cell(given)
    kept = inputs_of(cell, read_cell(cell), index)
    return file in plan_nodes(index, cell.path, kept, None)


@pytest.mark.parametrize("row", ["scrub", "gold"])
def test_numbers_that_rest_on_a_run_lead_back_to_it_and_others_do_not(index, row):
    model = f"{RUN.format(row)}/model.safetensors"
    told = {cell for line in find_impact(model).lines for cell in line.cells()}
    every = {cell for line in find_impact("data/stores/digits").lines for cell in line.cells()}
    assert told < every
    chosen = random.Random(0)
    for cell in chosen.sample(sorted(told), 20):
        assert rests_on(index, cell, model), cell
    for cell in chosen.sample(sorted(every - told), 40):
        assert not rests_on(index, cell, model), cell


@pytest.mark.usefixtures("index")
def test_verdicts_that_rest_on_a_method_are_those_that_compare_it():
    found = find_impact("methods.scrub")
    claims = {(it.claim, it.protocol) for it in found.verdicts}
    assert ("nearest-to-gold-classes", "corrected") in claims
    # LoTUS is compared with gold alone there.
    assert not any(claim == "faster-than-retraining" for claim, _ in claims)
    told = {*chain.from_iterable(it.benchmarks for it in found.verdicts)}
    assert all("digits" in benchmark for benchmark in told)


@pytest.mark.usefixtures("index")
def test_an_override_moves_the_runs_in_which_it_wins():
    found = find_impact("overrides.0.methods.lotus.alpha")
    assert {run.record.about["scenario"] for run in found.runs} == {"class-three"}
    assert {run.record.settings["hyperparameters"]["alpha"] for run in found.runs} == {32}
    others = find_impact("methods.lotus.alpha")
    assert {run.record.about["scenario"] for run in others.runs} == {"instance-10"}
    assert {run.record.about["row"] for run in others.runs} == {"lotus"}
    small = find_impact("methods.unsir.class_impair_lr")
    assert {run.record.about["row"] for run in small.runs} == {"unsir"}
