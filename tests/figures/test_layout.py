"""Every figure is laid out once, equal for equal files, and nothing in it overlaps."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine
from measured_runs import ROWS, metrics_of, records_of, run_of_lotus

from lotus.figures.avg_gap import avg_gap
from lotus.figures.draw import draw
from lotus.figures.jsd_bars import jsd_bars
from lotus.figures.registry import FIGURES
from lotus.figures.style import save, style


@pytest.mark.parametrize("row", ["gold", "original", "finetune"])
def test_whatever_collapses_the_figures_are_drawn(measured, row):
    files = metrics_of(measured(ROWS, collapsed=[(row, 1), (row, 2)]))
    for make in (avg_gap, jsd_bars):
        assert make(files).axes


@pytest.mark.parametrize("kind", ["time-bars", "cost"])
def test_figures_of_an_experiment_without_methods(kind, measured, tmp_path):
    files = records_of(measured({}))
    draw(kind, files, tmp_path / kind, tmp_path / "record.json")
    assert (tmp_path / f"{kind}.png").stat().st_size


@pytest.mark.parametrize("kind", ["jsd-bars", "time-bars", "pareto", "cost", "temperature"])
def test_equal_files_are_equal_figures(kind, measured, record, tmp_path):
    files = [*measured(ROWS), *measured({"lotus": (0.1, 0.1, 1.0)}, "released")]
    sources = {
        "jsd-bars": metrics_of(files),
        "pareto": files,
        "temperature": [run_of_lotus(record, [1.0, 0.8])],
    }.get(kind, records_of(files))
    for name in ("a", "b"):
        draw(kind, sources, tmp_path / name, tmp_path / f"{name}-record.json")
    for ending in ("svg", "pdf", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("switches", [["e1"], ["e1", "m1", "e1+e2+m1+m2+m3"]])
def test_maps_of_changes_stand_inside_the_figure_and_apart(count, switches, measured):
    rows = {**ROWS, "a-method-of-my-own-with-a-long-name": (0.1, 0.1, 1.0)}
    sources = [
        file
        for architecture in ["resnet18", "vit", "resnet50"][:count]
        for protocol in ("corrected", *(f"corrected+{names}" for names in switches))
        for file in metrics_of(measured(rows, protocol, architecture=architecture))
    ]
    assert stand_apart("ablation", sources) == 2 * count + 1


@pytest.mark.parametrize("architectures", [["resnet18"], ["resnet18", "vit", "resnet50"]])
@pytest.mark.parametrize("kind", ["avg-gap", "times", "jsd-bars", "time-bars", "cost"])
def test_words_of_panels_stand_inside_the_figure_and_apart(kind, architectures, measured):
    rows = {**ROWS, "a-method-of-my-own-with-a-long-name": (0.1, 0.1, 1.0)}
    files = [
        file
        for architecture in architectures
        for protocol in ("corrected", "released")
        for file in measured(rows, protocol, architecture=architecture)
    ]
    sources = metrics_of(files) if kind in ("avg-gap", "jsd-bars") else records_of(files)
    assert stand_apart(kind, sources) == len(architectures) * (2 if kind == "cost" else 1)


@pytest.mark.parametrize("architectures", [["resnet18"], ["resnet18", "vit", "resnet50", "a", "b"]])
@pytest.mark.parametrize(
    "rows", [["lotus"], [f"LoTUS, {n} % of the retain set" for n in range(20)]]
)
def test_panels_of_temperatures_leave_room_for_their_legends(rows, architectures, record):
    sources = [
        run_of_lotus(record, [1.0, 0.8], row=row, protocol=protocol, architecture=architecture)
        for row in rows
        for protocol in ("corrected", "released")
        for architecture in architectures
    ]
    assert stand_apart("temperature", sources) == 2 * len(architectures)


def stand_apart(kind, sources):
    """Number of panels, none of which reaches with its words into another or out of the figure."""
    with style():
        figure = FIGURES.spec(kind).draw(sources)
        figure.draw_without_rendering()
        panels = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
        boxes = [*panels, *(legend.get_window_extent() for legend in figure.legends)]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    return len(panels)


@pytest.mark.parametrize("kind", ["pareto", "rf-jsd"])
def test_a_figure_is_laid_out_once_for_all_its_forms(kind, measured, tmp_path, monkeypatch):
    files = [*measured(ROWS), *measured({"lotus": (0.1, 0.1, 1.0)}, "released")]
    sources = files if kind == "pareto" else metrics_of(files)
    found, lay_out = [], ConstrainedLayoutEngine.execute
    monkeypatch.setattr(
        ConstrainedLayoutEngine, "execute", lambda *of: (found.append(of), lay_out(*of))[1]
    )
    with style():
        figure = FIGURES.spec(kind).draw(sources)
        saved = save(figure, tmp_path / "saved")
        places = [axes.get_position().bounds for axes in figure.axes]
        lay_out(ConstrainedLayoutEngine(), figure)
    assert len(saved) == 3
    assert len(found) == 1
    again = [axes.get_position().bounds for axes in figure.axes]
    assert np.allclose(places, again, atol=0.02)
