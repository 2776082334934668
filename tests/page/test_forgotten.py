"""The forget sets that the page speaks of are planned and handed to it."""

import pytest
import yaml
from project import ROOT
from small_configuration import plan_of

from lotus.page import chain, forgotten
from lotus.plan.contents import Contents
from lotus.plan.description import description
from lotus.plan.report_steps import forget_set_files
from lotus.results.experiment import Experiment


@pytest.fixture
def contents():
    """A scenario of which nothing is run under the first seed, by which its images are audited."""
    content = yaml.safe_load((ROOT / "config/digits.yaml").read_text())
    content["grid"] = [
        content["grid"][0],
        {**content["grid"][1], "seeds": [13]},
    ]
    return Contents(plan_of(content))


def test_the_forget_set_of_an_audit_is_shown_whatever_seeds_its_scenario_has(contents):
    read = Experiment(description(contents.plan))
    assert ("digits", "class-three") in read.audited
    planned, shown = forget_set_files(contents), forgotten.forget_set_files(read)
    assert {*planned} == {path.as_posix() for path in shown} | {
        path for path in planned if "/records/" in path
    }
    for place in read.audited:
        (spoken_of,) = chain.of_images(read, *place).forgotten
        name = f"seed{spoken_of.seed}/{spoken_of.scenario}"
        assert [path for path in shown if name in path.as_posix()], name
