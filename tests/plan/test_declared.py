"""Which configuration is meant, and how Snakemake is told of it."""

import json
from pathlib import Path

import pytest
import yaml
from project import ROOT

from lotus.config.origins import DEFAULT_CONFIG
from lotus.errors import LotusError
from lotus.plan.declared import declared, present

DIGITS = Path("config/digits.yaml")


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_without_files_the_default_configuration_is_meant():
    found = declared([], {})
    assert found.files == (DEFAULT_CONFIG,)
    title = yaml.safe_load(DEFAULT_CONFIG.read_text(encoding="utf-8"))["title"]
    assert found.plan.settings.title == title
    assert found.options() == ["--configfile", str(DEFAULT_CONFIG)]


def test_later_files_and_what_is_given_go_over_earlier_ones(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("title: Other\nseeds: [1]\n")
    found = declared([DIGITS, other], {"seeds": [2]})
    assert found.plan.settings.title == "Other"
    assert found.plan.settings.seeds == (2,)
    assert "digits" in found.plan.settings.datasets
    assert found.source == {"files": [str(DIGITS), str(other)], "given": {"seeds": [2]}}
    assert found.options() == ["--configfile", str(DIGITS), str(other), "--config", "seeds=[2]"]


@pytest.fixture
def beside(tmp_path):
    """Writes a configuration beside a copy of the digits'; returns its path."""
    (tmp_path / "digits.yaml").write_text(DIGITS.read_text(encoding="utf-8"))

    def write(text, name="mine.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_configuration_can_be_based_on_another(beside):
    mine = beside("based_on: digits.yaml\ntitle: Mine\narchitectures: {resnet18: {width: 16}}\n")
    alone, both = declared([mine], {}), declared([mine.with_name("digits.yaml"), mine], {})
    assert alone.files == both.files == (mine.with_name("digits.yaml"), mine)
    assert alone.plan.settings == both.plan.settings
    assert alone.plan.settings.title == "Mine"
    assert alone.plan.settings.architectures["resnet18"].width == 16
    assert not alone.plan.settings.architectures["resnet18"].max_pool


def test_a_base_can_have_a_base(beside):
    beside("based_on: digits.yaml\ntitle: Between\nseeds: [5]\n", "between.yaml")
    found = declared([beside("based_on: between.yaml\ntitle: Last\n")], {})
    assert [path.name for path in found.files] == ["digits.yaml", "between.yaml", "mine.yaml"]
    assert (found.plan.settings.title, found.plan.settings.seeds) == ("Last", (5,))


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("nowhere.yaml", "there is no such file in"),
        ("../digits.yaml", "must be the name of a file in the same folder"),
        ("/etc/passwd", "must be the name of a file in the same folder"),
        ("mine.yaml", "is itself based on"),
        ("loop.yaml", "is itself based on"),
        ("a" * 5000, "there is no such file in"),
        ('""', "must be the name of a file in the same folder"),
    ],
)
def test_a_base_that_cannot_be_read_is_one_error(beside, base, said):
    beside("based_on: mine.yaml\n", "loop.yaml")
    mine = beside(f"title: Mine\nbased_on: {base}\n")
    with pytest.raises(LotusError, match=said) as caught:
        declared([mine], {})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{mine}: line 2: based_on" if base != "loop.yaml" else str(mine.parent))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # The base has a grid, too, with this key: but a list takes its place as a whole.
        ("grid:\n- architectures: [resnet18]\n", "mine.yaml: line 3: grid.0.datasets: is required"),
        ("power: {dataset: digits}\n", "mine.yaml: line 2: power.architecture: is required"),
        (
            "overrides:\n- where: {}\n  tuned: {lotus: {seeds: 3}}\n",
            "overrides.0.tuned.lotus.objective",
        ),
    ],
)
def test_what_is_missing_is_told_where_it_should_stand(beside, text, line):
    with pytest.raises(LotusError) as caught:
        declared([beside(f"based_on: digits.yaml\n{text}")], {})
    assert line in str(caught.value)


def test_what_stands_nowhere_is_missing_in_the_file_and_not_on_the_command_line(beside):
    with pytest.raises(LotusError) as caught:
        declared([beside("title: Mine\n")], {"limit": 5})
    assert all("mine.yaml: " in line for line in str(caught.value).splitlines())


@pytest.mark.parametrize("name", ["a" * 5000, "corrected\n"])
def test_names_that_are_no_names_leave_the_error_a_short_line(beside, name):
    with pytest.raises(LotusError) as caught:
        declared([beside("based_on: digits.yaml\n")], {"overrides": [{name: 1}], name: 2})
    for line in str(caught.value).split("\n"):
        assert line.startswith("--config: ")
        assert line.isprintable()
        assert len(line) < 1000


def test_a_base_is_a_name(beside):
    with pytest.raises(LotusError, match="based_on = 7"):
        declared([beside("based_on: 7\n")], {})


def test_what_is_given_goes_over_the_default_configuration_too():
    found = declared([], {"title": "Given"})
    assert found.plan.settings.title == "Given"
    assert found.files == (DEFAULT_CONFIG,)


def test_mistakes_are_told_with_the_file_or_option_that_has_them(tmp_path):
    with pytest.raises(LotusError, match=r"config/digits\.yaml: line 4: seeds"):
        wrong = tmp_path / "config/digits.yaml"
        wrong.parent.mkdir()
        text = DIGITS.read_text(encoding="utf-8")
        wrong.write_text(text.replace("seeds: [3407, 13]", "seeds: [13, 13]"))
        declared([wrong], {})
    with pytest.raises(LotusError, match="--config"):
        declared([DIGITS], {"seeds": [1, 1]})


def test_present_is_what_the_results_were_made_by_where_files_are_gone(tmp_path, monkeypatch):
    settings = declared([DIGITS], {}).plan.settings
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LotusError, match="is not a project"):
        present([])
    Path("Snakefile").touch()
    Path("results").mkdir()
    described = {"settings": settings.model_dump(mode="json")}
    Path("results/experiment.json").write_text(json.dumps(described))
    found = present([])
    assert found.plan.settings == settings
    assert found.files == ()
    with pytest.raises(LotusError, match="name them"):
        found.options()
