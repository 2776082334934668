"""docs/code-identity.md says which modules each kind of step reaches, and nothing else."""

import re
from pathlib import Path

import pytest
from project import ROOT

from lotus.figures.registry import spec_modules
from lotus.methods.base.registry import available, module_of
from lotus.plan.declared import declared
from lotus.plan.reached_modules import page
from lotus.plan.steps import KINDS, entry_modules
from lotus.records.code_identity import reach

PAGE = ROOT / "docs/code-identity.md"
RENEW = (
    'python -c "from pathlib import Path; from lotus.plan.declared import declared; '
    "from lotus.plan.reached_modules import page; "
    "plans = [declared([file], {}).plan for file in sorted(Path('config').glob('*.yaml'))]; "
    "Path('docs/code-identity.md').write_text(page(plans))\""
)
RIGHT_OF_PREDICTIONS = ("tables", "figures", "claims", "page", "audit", "diff", "lineage", "crate")


@pytest.fixture(scope="module")
def plans():
    """Those of all configurations; which stores are locked is read in the present folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield [declared([file], {}).plan for file in sorted(Path("config").glob("*.yaml"))]


@pytest.fixture(scope="module")
def text(plans):
    return page(plans)


def test_the_page_is_up_to_date(text):
    assert PAGE.read_text(encoding="utf-8") == text, f"renew it: {RENEW}"


def test_every_kind_of_step_stands_on_the_page(text):
    assert re.findall("^## `(.*)`$", text, re.MULTILINE) == [*KINDS]


def test_every_method_table_and_figure_of_ours_stands_on_the_page(text):
    told = "\n".join(re.findall("^They begin in (.*)\\.$", text, re.MULTILINE))
    begun = {f"lotus.{name}" for name in re.findall("`(.*?)`", told)}
    assert begun >= {module_of(name) for name in available()}
    assert begun >= {*spec_modules()}


def test_the_page_says_of_a_module_once_whose_steps_an_edit_makes_anew(text):
    of_unlearning = text.partition("## `unlearn`")[2].partition("\n## ")[0]
    assert "| `methods.salun`, `methods.salun_lotus` | `methods.random_labeling` |" in of_unlearning
    for part in text.split("\n## ")[1:]:
        besides = re.findall(
            r"^\| .*?`.*? \| (`.*`) \|$", part.partition("They begin")[2], re.MULTILINE
        )
        named = [name for modules in besides for name in modules.split(", ")]
        assert len(named) == len(set(named)), part.partition("`")[2]


@pytest.mark.parametrize("entry", ["lotus.figures.similarity", "lotus.tables.power"])
def test_what_shows_no_metric_is_not_made_anew_for_one(entry):
    assert not [name for name in reach(entry).texts if name.startswith("lotus.metrics")]


@pytest.mark.parametrize(
    "entry", ["lotus.runs.train", "lotus.runs.unlearn", "lotus.runs.evaluation"]
)
def test_models_and_metrics_reach_no_word_of_the_report(entry):
    rooms = {name.split(".")[1] for name in reach(entry).texts if "." in name}
    assert rooms.isdisjoint(RIGHT_OF_PREDICTIONS), sorted(rooms)


def test_no_step_reads_docstrings_or_annotations_as_it_runs(plans):
    """Else a reworded sentence would have it made anew."""
    begun = {
        entry for plan in plans for of_kind in entry_modules(plan).values() for entry in of_kind
    }
    for entry in filter(None, begun):
        found = reach(*entry)
        assert (found.reads_docs, found.reads_annotations) == (False, False), entry


def test_models_depend_on_no_words_of_the_register():
    for entry in ("lotus.runs.train", "lotus.runs.unlearn", "lotus.runs.evaluation"):
        assert "lotus.config.register" not in reach(entry).texts


def test_a_figure_reaches_no_other_figure():
    reached = {name for name in reach("lotus.figures.streisand").texts if "figures." in name}
    assert "lotus.figures.streisand" in reached
    assert "lotus.figures.avg_gap" not in reached


def test_the_command_that_renews_the_page_works(tmp_path, monkeypatch, text):
    monkeypatch.chdir(ROOT)
    renewed = tmp_path / "page.md"
    command = RENEW.replace("docs/code-identity.md", str(renewed))
    exec(command.removeprefix('python -c "').removesuffix('"'), {})
    assert renewed.read_text(encoding="utf-8") == text
