"""The tree as a picture of few boxes."""

from pathlib import Path

from built_by_hand import TABLE, folder_of, tree_of
from click.testing import CliRunner

from lotus.cli.main import main
from lotus.lineage import box_layout as tree_boxes


def test_pictures_are_equal_files_and_broken_ones_red(project, tmp_path):
    for ending in ("svg", "png", "pdf"):
        files = [tmp_path / f"{name}.{ending}" for name in "ab"]
        for file in files:
            CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(file)])
        assert files[0].read_bytes() == files[1].read_bytes()
    (project / TABLE).unlink()
    CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(tmp_path / "c.svg")])
    assert "#c00000" not in (tmp_path / "a.svg").read_text().lower()
    assert "#c00000" in (tmp_path / "c.svg").read_text().lower()
    wrong = CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(tmp_path / "a.gif")])
    assert wrong.exit_code == 1
    assert "accepted: pdf, png, svg" in wrong.output
    assert not (tmp_path / "a.gif").exists()


def test_no_result_is_drawn_over(project):
    before = (project / TABLE).read_bytes()
    for place in ("results/tables/mine.svg", "data/stores/mine.svg"):
        done = CliRunner().invoke(main, ["lineage", TABLE, "--picture", place])
        assert done.exit_code == 1
        assert f"--picture: {place} lies in" in done.output
        assert not Path(place).exists()
    assert (project / TABLE).read_bytes() == before


def test_a_folder_in_the_place_of_a_file_does_not_pass_for_it(project):
    metrics = sorted(project.glob("results/tiny/**/metrics.json"))[0]
    metrics.unlink()
    metrics.mkdir()
    done = CliRunner().invoke(main, ["lineage", TABLE])
    assert done.exit_code == 1
    assert f"{metrics.relative_to(project)}: cannot be read as a file" in done.output


def test_boxes_hold_every_node_once(project):
    tree = tree_of(TABLE)
    drawn = tree_boxes.box_layout(tree)
    held = [node.path for _, column in drawn.columns for box in column for node in box.nodes]
    assert sorted(held) == sorted(tree.nodes)
    assert [head for head, _ in drawn.columns][-1] == tree_boxes.ASKED_FOR


def test_a_box_of_many_says_how_many_are_broken(project, monkeypatch):
    monkeypatch.setattr(tree_boxes, "MOST_BOXES", 1)
    Path(f"{folder_of('ssd')}/predictions.npz").unlink()
    drawn = tree_boxes.box_layout(tree_of(TABLE))
    broken = [box for _, column in drawn.columns for box in column if box.is_broken]
    assert [list(box.text[:2]) for box in broken] == [["2 predictions", "1 broken"]]


def test_a_figure_over_all_models_is_drawn_in_few_boxes(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    tree = tree_of("results/figures/avg-gap.svg")
    assert tree.problems == []
    assert len(tree.nodes) > 100
    drawn = tree_boxes.box_layout(tree)
    assert max(len(column) for _, column in drawn.columns) <= tree_boxes.MOST_BOXES
    assert sum(len(box.nodes) for _, column in drawn.columns for box in column) == len(tree.nodes)
