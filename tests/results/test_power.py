"""How often measures raise alarm: p-values of golds among golds, rates with exact intervals."""

import json

import numpy as np
import pytest
from scipy.stats import beta

from lotus.errors import LotusError
from lotus.figures.power import power as draw
from lotus.figures.style import style
from lotus.results.power import (
    GROUPS,
    Tried,
    power_file,
    rate_of,
    read_power,
    read_tried,
)
from lotus.tables.power import power

ABOUT = {
    **{"dataset": "digits", "architecture": "resnet18", "scenario": "instance-10"},
    "protocol": "corrected",
}


def tried_of(level=0.05, **groups):
    """One measure, on models of which each is as no gold would be, or as any could be."""
    p = {**{key: [1.0] for key in GROUPS}, **groups}
    return Tried(ABOUT, level, {"jsd": "JSD"}, {"jsd": p})


def test_a_rate_has_its_exact_interval():
    found = rate_of(1, 20)
    assert (found.value, found.n) == (0.05, 20)
    assert found.low == pytest.approx(beta.ppf(0.025, 1, 20))
    assert found.high == pytest.approx(beta.ppf(0.975, 2, 19))
    assert np.isnan(rate_of(0, 0).value)


def test_noticing_takes_more_alarms_than_golds_raise():
    golds = [1.0] * 19 + [0.05]
    assert tried_of(nothing=[0.05] * 10, fresh=golds).notices("jsd")
    assert not tried_of(nothing=[0.05] * 3 + [0.06] * 7, fresh=golds).notices("jsd")
    assert tried_of(nothing=[0.05] * 10).rate("jsd", "nothing").value == 1


@pytest.fixture
def file(tmp_path):
    tried = tried_of(nothing=[0.02, 0.8], fresh=[0.8, 0.5, 0.4, 0.02])
    content = {"about": ABOUT, "seed": 1, "level": 0.05}
    content["measures"] = {"jsd": {"label": "JSD", "p": dict(tried.p["jsd"])}}
    path = tmp_path / "power.json"
    path.write_text(json.dumps(content))
    return path


def test_the_table_has_each_rate_between_its_limits(file):
    numbers, latex = power([file])
    rates = ["golds_flagged", "nothing", "half", "lookup", "temperature", "train_mode"]
    columns = [name + end for name in rates for end in ("", "_low", "_high")]
    assert list(numbers) == ["measure", "level", *columns]
    line = numbers.iloc[0]
    assert (line["measure"], line["level"]) == ("jsd", 0.05)
    assert (line["golds_flagged"], line["nothing"], line["half"]) == (0.25, 0.5, 0)
    for name in rates:
        assert line[f"{name}_low"] <= line[name] <= line[f"{name}_high"]
    assert "JSD" in latex


@pytest.mark.parametrize(
    "change",
    [
        lambda of: of.pop("level"),
        lambda of: of.update(level=2),
        lambda of: of["measures"]["jsd"]["p"].pop("half"),
        lambda of: of["measures"]["jsd"]["p"].update(half=["x"]),
        lambda of: of["measures"]["jsd"]["p"].update(half=[1.5]),
        lambda of: of["measures"]["jsd"]["p"].update(half=[0]),
        lambda of: of["measures"]["jsd"]["p"].update(half=[float("nan")]),
        lambda of: of["about"].update(dataset=3),
        lambda of: of["about"].pop("protocol"),
    ],
)
def test_what_no_command_wrote_is_refused(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(LotusError, match=r"power\.json"):
        read_power(file)


def test_findings_of_another_protocol_are_refused(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert read_tried("corrected") is None
    for name in ("corrected", "released"):
        path = power_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.read_text())
    assert read_tried("corrected").about == ABOUT
    with pytest.raises(
        LotusError, match=r"power-released\.json: was found under protocol corrected"
    ):
        read_tried("released")


def test_the_figure_says_of_how_many_models_each_measure_is(file):
    content = json.loads(file.read_text())
    p = {**content["measures"]["jsd"]["p"], "fresh": [1.0] * 3, "nothing": [0.01] * 2}
    content["measures"]["u-lira"] = {"label": "U-LiRA", "p": p}
    file.write_text(json.dumps(content))
    (title,) = [text.get_text() for text in draw([file]).texts]
    assert title.endswith("4 fresh golds, 2 models of each other kind\nU-LiRA: 3 and 2")


def test_every_word_of_the_figure_lies_inside_it(file):
    with style():
        figure = draw([file])
        figure.draw_without_rendering()
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.get_yticklabels())]
    for text in texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text.get_text()
