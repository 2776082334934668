"""Figures of divergence, time, costs and temperature, and the table of costs, from files made here."""

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.layout_engine import ConstrainedLayoutEngine
from scores import row_of_metrics

from lotus.errors import LotusError
from lotus.figures import figures
from lotus.figures.bars import jsd_bars, time_bars
from lotus.figures.costs import cost, pareto
from lotus.figures.style import save, style
from lotus.figures.training import temperature
from lotus.results.pareto import non_dominated
from lotus.results.run_records import load_costs, load_courses
from lotus.tables import tables

PLACE = {"dataset": "data", "architecture": "resnet18", "scenario": "instance-10"}
SEEDS = (1, 2)
MIB = 2**20

steps = st.integers(0, 3).map(float)


@given(st.lists(st.tuples(steps, steps), max_size=8))
def test_non_dominated_points_are_those_that_no_other_beats(points):
    def beats(a, b):
        return a[0] <= b[0] and a[1] <= b[1] and a != b

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert non_dominated(np.array(points).reshape(-1, 2)).tolist() == expected


def test_a_point_without_a_value_beats_nothing_and_is_not_among_them():
    points = np.array([[0.0, np.nan], [1.0, 1.0], [np.nan, 0.0]])
    assert non_dominated(points).tolist() == [False, True, False]


def place_of(row, seed, protocol, architecture):
    place = {**PLACE, "architecture": architecture}
    return {**place, "row": row, "seed": seed, "protocol": protocol}


@pytest.fixture
def record(tmp_path):
    """Writes a run's record and returns its path."""

    def record(
        row,
        seed,
        seconds,
        protocol="corrected",
        memory=(700, 0),
        architecture="resnet18",
        **content,
    ):
        folder = tmp_path / "runs" / architecture / protocol / f"seed{seed}" / row
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"method": row, "hyperparameters": {}, **content.pop("settings", {})}
        written = {
            "kind": "unlearned",
            "about": place_of(row, seed, protocol, architecture),
            "settings": settings,
            "outputs": {f"{folder}/predictions.npz": f"{architecture}-{row}-{seed}-{protocol}"},
            "time": seconds,
            "memory": {"process": memory[0] * MIB, "device": memory[1] * MIB},
            "notes": {"outcome": "sound", **content},
        }
        (folder / "run.json").write_text(json.dumps(written))
        return folder / "run.json"

    return record


@pytest.fixture
def measured(tmp_path, record):
    """Row → its Avg Gap, JSD and seconds, of each seed → metrics files and run records.

    Seeds differ by ±.01 in Avg Gap and JSD, and by ± a tenth of the seconds.
    """

    def measured(
        rows, protocol="corrected", collapsed=(), gold_seconds=10.0, architecture="resnet18"
    ):
        every = {"original": (0.2, 0.3, 50.0), "gold": (None, 0.0, gold_seconds), **rows}
        files = []
        for seed, sign in zip(SEEDS, (-1, 1), strict=True):
            scores, said = {}, {}
            for row, (gap, jsd, seconds) in every.items():
                moved = row in rows
                phase = "unlearn" if moved else "train"
                spent = seconds * (1 + 0.1 * sign * moved)
                run = record(row, seed, {phase: spent}, protocol, architecture=architecture)
                scores[row] = values(
                    None if gap is None else gap + 0.01 * sign * moved,
                    jsd + 0.01 * sign * moved,
                    "near chance" if (row, seed) in collapsed else "",
                )
                path = f"{run.parent}/predictions.npz"
                said[row] = {"path": path, "sha256": f"{architecture}-{row}-{seed}-{protocol}"}
                files.append(run)
            metrics = tmp_path / f"{architecture}-{protocol}-{seed}.json"
            place = {**PLACE, "architecture": architecture}
            about = {**place, "protocol": protocol, "seed": seed}
            metrics.write_text(json.dumps({**about, "rows": scores, "predictions": said}))
            files.append(metrics)
        return files

    return measured


def values(gap, jsd, collapsed):
    accuracies = {f"accuracy_{name}": 0.8 for name in ("forget", "retain", "test", "val")}
    attack = {"mia": 0.5, "mia_released_e6": 0.5, "mia_auc": 0.5}
    return row_of_metrics(**accuracies, **attack, avg_gap=gap, jsd=jsd, collapsed=collapsed)


ROWS = {
    "lotus": (0.05, 0.1, 2.0),
    "finetune": (0.10, 0.2, 1.0),
    "ssd": (0.12, 0.25, 3.0),
    "scrub": (0.30, 0.35, 0.5),
    "unsir": (0.02, 0.05, 20.0),
}


def metrics_of(files):
    return [path for path in files if path.name != "run.json"]


def records_of(files):
    return [path for path in files if path.name == "run.json"]


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def named_front(axes):
    """Names of the methods on the front, and what the line through them joins."""
    line = next(line for line in axes.lines if line.get_drawstyle() == "steps-post")
    return texts_of(axes), list(zip(*line.get_data(), strict=True))


def test_the_front_is_of_methods_that_nothing_beats(measured):
    # SSD is beaten by both others, SCRUB by doing nothing, UNSIR by retraining.
    (axes,) = pareto(measured(ROWS)).axes
    names, joined = named_front(axes)
    assert names == ["Finetuning", "LoTUS"]
    assert joined == [pytest.approx((1.0, 0.10)), pytest.approx((2.0, 0.05))]
    levels = [line for line in axes.lines if line.get_linestyle() in ("--", "-.")]
    assert [line.get_ydata()[0] for line in levels[:1]] == pytest.approx([0.2])
    assert [line.get_xdata()[0] for line in levels[1:]] == pytest.approx([10.0])


def test_the_front_does_not_depend_on_the_order_of_the_files(measured):
    files = measured(ROWS)
    (axes,), (again,) = pareto(files).axes, pareto(files[::-1]).axes
    assert named_front(axes)[0] == named_front(again)[0]


def test_a_front_for_each_protocol(measured):
    files = measured(ROWS) + measured({"ssd": (0.01, 0.1, 1.0)}, "released")
    (axes,) = pareto(files).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS", "SSD"]


def test_pareto_leaves_collapsed_rows_out_and_says_so(measured):
    (axes,) = pareto(measured(ROWS, collapsed=[("lotus", 1)])).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS, corrected: collapsed in 1 of 2"]


def test_pareto_asks_for_the_records_of_all_models(measured):
    files = measured(ROWS)
    missing = next(path for path in records_of(files) if path.parent.name == "ssd")
    with pytest.raises(LotusError, match=r"row 'ssd': no record .*ssd/predictions\.npz"):
        pareto([path for path in files if path != missing])


def test_pareto_asks_for_records_of_the_same_predictions(measured):
    files = measured(ROWS)
    stale = next(path for path in records_of(files) if path.parent.name == "ssd")
    content = json.loads(stale.read_text())
    content["outputs"] = dict.fromkeys(content["outputs"], "of an earlier run")
    stale.write_text(json.dumps(content))
    with pytest.raises(LotusError, match="row 'ssd'"):
        pareto(files)


def bars_of(axes):
    return [patch.get_width() for patch in axes.patches]


def test_jsd_bars_are_means_with_deviations_and_seeds(measured):
    (axes,) = jsd_bars(metrics_of(measured(ROWS))).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:3] == ["Original (nothing done)", "LoTUS", "Finetuning"]
    assert "Gold (retrained)" not in names
    assert bars_of(axes)[:3] == pytest.approx([0.3, 0.1, 0.2])
    (low, high) = axes.collections[1].get_segments()[0][:, 0]
    assert (high - low) / 2 == pytest.approx(np.sqrt(2) * 0.01)
    seeds = [line.get_xdata() for line in axes.lines if line.get_marker() == "o"]
    assert seeds[1] == pytest.approx([0.09, 0.11])
    assert axes.get_title().endswith("original, nothing done: 0.300 nats (dashed)")


def test_jsd_bars_of_both_protocols_are_filled_and_hollow(measured):
    files = measured(ROWS) + measured({"lotus": (0.1, 0.15, 1.0)}, "released")
    (axes,) = jsd_bars(metrics_of(files)).axes
    lotus = axes.patches[2:4]
    assert [bar.get_width() for bar in lotus] == pytest.approx([0.1, 0.15])
    assert [bar.get_facecolor()[:3] == (1.0, 1.0, 1.0) for bar in lotus] == [False, True]
    assert lotus[0].get_edgecolor() == lotus[1].get_edgecolor()


@pytest.mark.parametrize("row", ["gold", "original", "finetune"])
def test_whatever_collapses_the_figures_are_drawn(measured, row):
    files = metrics_of(measured(ROWS, collapsed=[(row, 1), (row, 2)]))
    for draw in (figures.avg_gap, jsd_bars):
        assert draw(files).axes


def test_jsd_bars_say_what_has_collapsed(measured):
    (axes,) = jsd_bars(metrics_of(measured(ROWS, collapsed=[("lotus", 1)]))).axes
    assert texts_of(axes) == ["corrected: collapsed in 1 of 2 seeds"]
    assert len(axes.patches) == len(ROWS)


@pytest.mark.parametrize(("gold", "how"), [(30.0, "dashed"), (300.0, "off the axis")])
def test_time_bars_state_gold_even_where_it_is_not_drawn(measured, gold, how):
    (axes,) = time_bars(records_of(measured(ROWS, gold_seconds=gold))).axes
    assert bars_of(axes) == pytest.approx([2.0, 1.0, 3.0, 0.5, 20.0])
    assert axes.get_title().endswith(f"training gold: {gold:.1f} s ({how})")
    first, last = axes.get_xlim()
    assert first == 0
    assert (last > gold) == (how == "dashed")


def run_of_lotus(record, accuracies, seed=1, row="lotus", protocol="corrected", epochs=4, **notes):
    """A record of a run with target .5 and α = 2."""
    told = [
        {"temperature": float(np.exp(2 * (known - 0.5))), "forget_accuracy": known}
        | {"gap": known - 0.5}
        for known in accuracies
    ]
    settings = {"method": "lotus", "hyperparameters": {"alpha": 2.0, "epochs": epochs}}
    return record(row, seed, {"unlearn": 1.0}, protocol, settings=settings, epochs=told, **notes)


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
        "LoTUS, released, α = 2: collapsed in 1 of 2 seeds",
    ]
    assert len([line for line in below.lines if line.get_markersize() == 3.5]) == 2


def test_temperatures_that_are_not_finite_are_gaps(record):
    path = run_of_lotus(record, [1.0, 0.8])
    content = json.loads(path.read_text())
    content["notes"]["epochs"][1]["temperature"] = None
    path.write_text(json.dumps(content))
    (course,) = load_courses([path])
    assert np.isnan(course.temperature[1])


def test_temperature_without_a_run_of_lotus(record):
    with pytest.raises(LotusError, match="none of 1 run records is of the method 'lotus'"):
        temperature([record("gold", 1, {"train": 1.0})])


@pytest.fixture
def spent(record):
    return [
        record("original", 1, {"train": 20.0}),
        record("gold", 1, {"train": 9.0}, memory=(800, 400)),
        record("gold", 2, {"train": 11.0}, memory=(800, 400)),
        record("salun", 1, {"unlearn": 4.0, "method_prepare": 1.0}, memory=(600, 100)),
        record("salun", 2, {"unlearn": 2.0, "method_prepare": 3.0}, memory=(1000, 300)),
        record("scrub", 1, {"unlearn": 2.0}, "released", weights_of="results/there"),
    ]


def test_costs_of_the_table(spent):
    numbers = tables.cost(spent)[0].set_index("row")
    assert numbers["seconds"].to_dict() == {"original": 20, "gold": 10, "salun": 5, "scrub": 2}
    assert numbers["ratio_to_gold"].to_dict() == {
        **{"original": 2.0, "gold": 1.0, "salun": 0.5, "scrub": 0.2}
    }
    assert numbers.loc["salun", "prepare_seconds"] == 2
    assert numbers.loc["salun", ["process_mib", "device_mib"]].tolist() == [800, 200]
    assert list(numbers["n"]) == [1, 2, 2, 1]


def test_memory_of_weights_that_were_taken_over_is_not_known(spent):
    costs = load_costs(spent).set_index(["row", "seed"])
    assert np.isnan(costs.loc[("scrub", 1), "process_mib"])
    assert np.isnan(costs.loc[("original", 1), "device_mib"])
    assert costs.loc[("original", 1), "process_mib"] == 700


def test_ratios_are_unknown_without_gold(spent):
    without = [path for path in spent if path.parent.name != "gold"]
    numbers, latex = tables.cost(without)
    assert numbers["ratio_to_gold"].isna().all()
    assert "nan" not in latex


@pytest.mark.parametrize("kind", ["time-bars", "cost"])
def test_figures_of_an_experiment_without_methods(kind, measured, tmp_path):
    files = records_of(measured({}))
    figures.draw(kind, files, tmp_path / kind, tmp_path / "record.json")
    assert (tmp_path / f"{kind}.png").stat().st_size


def test_cost_figure_splits_time_and_states_ratios(spent):
    time, memory = cost(spent).axes
    assert time.get_title().endswith("gold: 10.0 s")
    assert memory.get_title().endswith("gold: 800 MiB")
    assert bars_of(time)[:2] == pytest.approx([5.0, 2.0])
    assert texts_of(time) == [" ×0.50", " ×0.20"]
    assert texts_of(memory) == [" ×1.00"]
    assert [line.get_xdata()[0] for line in memory.lines if line.get_marker() == "D"] == [200]


def test_other_files_are_no_records(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    for kind in ("cost", "temperature", "time-bars"):
        with pytest.raises(LotusError, match="not the record of a run"):
            figures.FIGURES[kind]([tmp_path / "other.json"])


@pytest.mark.parametrize("kind", ["jsd-bars", "time-bars", "pareto", "cost", "temperature"])
def test_equal_files_are_equal_figures(kind, measured, record, tmp_path):
    files = [*measured(ROWS), *measured({"lotus": (0.1, 0.1, 1.0)}, "released")]
    sources = {
        "jsd-bars": metrics_of(files),
        "pareto": files,
        "temperature": [run_of_lotus(record, [1.0, 0.8])],
    }.get(kind, records_of(files))
    for name in ("a", "b"):
        figures.draw(kind, sources, tmp_path / name, tmp_path / f"{name}-record.json")
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
        figure = figures.FIGURES[kind](sources)
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
        figure = figures.FIGURES[kind](sources)
        saved = save(figure, tmp_path / "saved")
        places = [axes.get_position().bounds for axes in figure.axes]
        lay_out(ConstrainedLayoutEngine(), figure)
    assert len(saved) == 3
    assert len(found) == 1
    again = [axes.get_position().bounds for axes in figure.axes]
    assert np.allclose(places, again, atol=0.02)
