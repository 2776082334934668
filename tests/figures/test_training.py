"""Courses of accuracy and temperature over epochs."""

import json

import numpy as np
import pytest
from measured_runs import run_of_lotus

from lotus.errors import LotusError
from lotus.figures.temperature import temperature
from lotus.records.files import write_json
from lotus.records.seal import sealed
from lotus.results.run_records import load_courses


def test_courses_are_read_from_the_records_of_lotus_alone(record):
    files = [
        run_of_lotus(record, [0.9, 0.7]),
        run_of_lotus(record, [0.9], row="half"),
        record("salun", 1, {"unlearn": 1.0}, epochs=[{"loss": 1.0}]),
        record("gold", 1, {"train": 1.0}),
    ]
    courses = load_courses(files)
    assert [course.about["row"] for course in courses] == ["lotus", "half"]
    assert courses[0].temperature == pytest.approx(np.exp([0.8, 0.4]))
    assert courses[0].target == pytest.approx([0.5, 0.5])
    assert courses[0].ended_early


def marked(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]


def test_temperature_figure_shows_means_as_long_as_all_seeds_run(record):
    files = [
        run_of_lotus(record, [1.0, 0.8, 0.6, 0.6]),
        run_of_lotus(record, [0.8, 0.6], seed=2),
    ]
    above, below = temperature(files).axes
    (mean,) = marked(below, "D")
    assert list(mean.get_xdata()) == [1, 2]
    assert mean.get_ydata() == pytest.approx([0.9, 0.7])
    (mean,) = marked(above, "D")
    assert mean.get_ydata() == pytest.approx(np.exp([0.8, 0.4]))
    (end,) = marked(below, "x")
    assert (end.get_xdata()[0], end.get_ydata()[0]) == (2, 0.6)
    (target,) = [line for line in below.lines if line.get_linestyle() == "--"]
    assert target.get_ydata()[0] == pytest.approx(0.5)
    assert below.get_xlim() == (0.5, 4.5)


def test_temperature_figure_names_rows_and_protocols(record):
    files = [
        run_of_lotus(record, [1.0, 0.8, 0.8, 0.8]),
        run_of_lotus(record, [1.0, 0.8, 0.8, 0.8], row="half"),
        run_of_lotus(record, [1.0, 0.9, 0.9, 0.9], protocol="released"),
        run_of_lotus(record, [1.0], seed=2, protocol="released", outcome="collapsed: weights"),
    ]
    above, below = temperature(files).axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == [
        "LoTUS, corrected, α = 2",
        "half, corrected, α = 2",
        "LoTUS, released, α = 2: collapsed in 1 of 2 seeds (2)",
    ]
    assert len([line for line in below.lines if line.get_markersize() == 3.5]) == 2


def test_temperatures_that_are_not_finite_are_gaps(record):
    path = run_of_lotus(record, [1.0, 0.8])
    content = json.loads(path.read_text())
    content["notes"]["epochs"][1]["temperature"] = None
    write_json(path, sealed(content))
    (course,) = load_courses([path])
    assert np.isnan(course.temperature[1])


def test_temperature_without_a_run_of_lotus(record):
    with pytest.raises(LotusError, match="none of the 1 run records is of the method 'lotus'"):
        temperature([record("gold", 1, {"train": 1.0})])
