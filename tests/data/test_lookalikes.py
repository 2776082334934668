"""Images that look alike: what is counted of them, and its figures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import call
from pictures import pictures

from lotus.data.alike_pairs import shown_images
from lotus.data.content import Content
from lotus.data.lookalikes import Assigned, assign_parts, audit_images
from lotus.data.splits import ForgetSet, HeldOut, save_forget_set, save_held_out
from lotus.data.store import open_store, write_store
from lotus.errors import LotusError
from lotus.results.lookalikes import picture

# The audit


@pytest.fixture
def audited(tmp_path, monkeypatch):
    """A store of 40 images and its splits: 24 training and 16 held-out images.

    Images 3 (forget), 9 and 10 (retain) and 30 (val) look alike, so do 12 and 13 (retain).
    """
    monkeypatch.chdir(tmp_path)
    images, labels = pictures(40), np.arange(40) % 2
    images[[9, 10, 30]] = images[3]
    images[13] = images[12]
    labels[30] = 0
    parts = {"train": (0, 24), "test": (24, 40)}
    source = {"dataset": "made", "mean": [0.0] * 3, "std": [1.0] * 3}
    content = Content(images, labels, parts, ("cat", "dog"))
    write_store(Path("store"), images, content, source, None)
    forget = np.array([1, 3, 5, 0, 2, 4])
    retain = np.arange(6, 24)
    save_forget_set(Path("forget.json"), ForgetSet("some", forget, retain, False))
    save_held_out(Path("held-out.json"), HeldOut(np.arange(24, 32), np.arange(32, 40)))
    return tmp_path


SPLITS = ["--held-out", "held-out.json", "--forget-set", "forget.json"]
AUDIT = ["duplicates", "store", *SPLITS, "--out", "audit.json", "--workers", 1]


def test_the_audit_counts_groups_and_cleans(audited):
    result = call(*AUDIT, "--cleaned", "cleaned.csv", "--labels", "{scenario: some}")
    assert result.exit_code == 0, result.output
    audit = json.loads(Path("audit.json").read_text())
    assert (audit["dataset"], audit["scenario"]) == ("made", "some")
    found = {
        name: (part["images"], part["pairs"], part["dropped"])
        for name, part in audit["parts"].items()
    }
    expected = {"forget": (6, 0, 1), "retain": (18, 2, 3), "val": (8, 0, 0), "test": (8, 0, 0)}
    assert found == expected
    assert {pair for pair, count in audit["across"].items() if count} == {
        *("forget-retain", "forget-val", "retain-val")
    }
    assert audit["across"]["retain-val"] == 2
    assert audit["parts"]["forget"]["class_counts"] == [3, 3]
    first, second = audit["groups"]
    assert first["indices"] == [3, 9, 10, 30]
    assert first["parts"] == ["forget", "retain", "retain", "val"]
    assert (first["kept"], first["labels_agree"]) == (30, False)
    assert (second["kept"], second["labels"], second["labels_agree"]) == (12, [0, 1], False)
    assert len(set(second["hashes"])) == 1
    similarity = audit["similarity"]
    assert similarity["of"] == similarity["pairs"] == sum(similarity["histogram"]) == 6 * 18
    assert similarity["histogram"][0] == 2
    record = json.loads(Path("audit.record.json").read_text())
    assert set(record["inputs"]) == {"store/source.json", "held-out.json", "forget.json"}
    assert set(record["outputs"]) == {"audit.json", "cleaned.csv"}

    with Path("cleaned.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["index", "part", "label", "kept", "group"]
    assert [int(line["index"]) for line in lines] == list(range(40))
    assert [int(line["index"]) for line in lines if line["kept"] == "False"] == [3, 9, 10, 13]
    assert {line["index"]: line["group"] for line in lines if line["group"]} == {
        **dict.fromkeys(["3", "9", "10", "30"], "0"),
        **dict.fromkeys(["12", "13"], "1"),
    }


def test_without_splits_the_stores_own_parts_are_audited(audited):
    assert call("duplicates", "store", "--out", "a.json", "--workers", 1).exit_code == 0
    audit = json.loads(Path("a.json").read_text())
    assert list(audit["parts"]) == ["train", "test"]
    assert audit["across"] == {"train-test": 3}
    assert audit["parts"]["train"]["dropped"] == 4
    assert audit["similarity"] is None
    assert call(*AUDIT).exit_code == 0
    before = Path("audit.json").read_bytes()
    assert call(*AUDIT).exit_code == 0
    assert Path("audit.json").read_bytes() == before


def test_kept_indices_ascend_and_images_of_no_part_are_left_out():
    hashes = np.array([5, 5, 5, 9, 9], np.uint64)
    assigned = Assigned(np.array([1, 2, 4]), np.array([1, 0, 0]), ("forget", "retain"))
    audit, cleaned = audit_images(hashes, np.zeros(5, int), ("one",), assigned, 0, 10, 0)
    assert cleaned.indices.tolist() == [2, 4]
    assert audit.parts["forget"].images == 2
    assert audit.across == {"forget-retain": 1}


def test_splits_that_do_not_fit_are_refused(audited):
    store = open_store(Path("store"))
    save_held_out(Path("other.json"), HeldOut(np.arange(24, 32), np.arange(32, 41)))
    with pytest.raises(LotusError, match=r"other.json: has indices 0…40, but store has 40 images"):
        assign_parts(store, Path("other.json"), None)
    save_held_out(Path("other.json"), HeldOut(np.arange(20, 32), np.arange(32, 40)))
    with pytest.raises(LotusError, match="image 20 is in retain and val"):
        assign_parts(store, Path("other.json"), Path("forget.json"))


# Figures


def texts(figure):
    titles = [axes.get_title() for axes in figure.axes]
    return [*titles, *(text.get_text() for text in figure.texts)]


def test_figures_are_drawn_from_the_audit_alike_each_time(audited):
    assert call(*AUDIT).exit_code == 0
    for name in ("duplicates", "classes", "similarity"):
        for out in ("a", "b"):
            drawn = call(
                *("figure", name, "audit.json", "--out", f"{out}-{name}"), "--record", "r.json"
            )
            assert drawn.exit_code == 0, drawn.output
        for ending in ("svg", "pdf", "png"):
            first, second = (Path(f"{out}-{name}.{ending}").read_bytes() for out in "ab")
            assert first == second


def test_duplicates_figure_shows_pairs_of_different_parts(audited):
    from lotus.figures.duplicates import duplicates

    assert call(*AUDIT).exit_code == 0
    figure = duplicates([Path("audit.json")])
    heads = [strip.get_suptitle() for strip in figure.subfigs]
    assert heads == [
        "made: within retain, 2 pairs",
        "made: forget–retain, 2 pairs",
        "made: retain–val, 2 pairs",
    ]
    titles = [[axes.get_title() for axes in strip.axes if axes.images] for strip in figure.subfigs]
    assert titles[0] == ["retain 9\ndog", "retain 10\ncat", "retain 12\ncat", "retain 13\ndog"]
    assert titles[1] == ["forget 3\ndog", "retain 9\ndog"]
    first = next(axes for axes in figure.subfigs[0].axes if axes.images)
    images = open_store(Path("store")).images
    assert np.array_equal(first.images[0].get_array(), images[9].squeeze())


def test_the_audit_holds_the_pictures_that_are_shown_and_no_others(audited):
    from lotus.figures.duplicates import duplicates

    assert call(*AUDIT).exit_code == 0
    audit = json.loads(Path("audit.json").read_text())
    images = open_store(Path("store")).images
    assert [*audit["pictures"]] == [str(index) for index in shown_images(audit)]
    assert 0 < len(audit["pictures"]) < len(images)
    for index in shown_images(audit):
        assert np.array_equal(picture(audit, index), images[index])
    shown, kept = audit["pictures"].popitem()
    Path("audit.json").write_text(json.dumps(audit))
    with pytest.raises(LotusError, match=f"holds no picture of image {shown}; audit it again"):
        duplicates([Path("audit.json")])
    for damage in ({"shape": [10**6] * 3}, {"shape": [1]}, {"pixels": "!" * len(kept["pixels"])}):
        audit["pictures"] = {shown: {**kept, **damage}}
        Path("audit.json").write_text(json.dumps(audit))
        with pytest.raises(
            LotusError, match=f"is not an audit of `lotus duplicates`: pictures.{shown}"
        ):
            duplicates([Path("audit.json")])


def test_classes_have_one_order_in_all_parts(audited):
    from lotus.figures.classes import classes

    assert call(*AUDIT).exit_code == 0
    (axes,) = classes([Path("audit.json")]).axes
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    audit = json.loads(Path("audit.json").read_text())
    assert heights == [part["class_counts"] for part in audit["parts"].values()]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog"]

    audit["classes"] = [f"c{number}" for number in range(30)]
    for number, part in enumerate(audit["parts"].values()):
        part["class_counts"] = list(range(number, number + 30))
    Path("many.json").write_text(json.dumps(audit))
    (axes,) = classes([Path("many.json")]).axes
    drawn = [patch.get_data().values.tolist() for patch in axes.patches]
    assert drawn == [list(range(number + 29, number - 1, -1)) for number in range(4)]


def test_similarity_is_a_cumulative_share(audited):
    from lotus.figures.similarity import similarity

    assert call(*AUDIT).exit_code == 0
    audit = json.loads(Path("audit.json").read_text())
    (axes,) = similarity([Path("audit.json"), Path("audit.json")]).axes
    assert len(axes.lines) == 2
    share = np.cumsum(audit["similarity"]["histogram"]) / (6 * 18)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), share)
    Path("audit.json").write_text(json.dumps({**audit, "similarity": None}))
    with pytest.raises(LotusError, match="made without a forget set"):
        similarity([Path("audit.json")])


def test_other_files_are_no_audits(audited):
    drawn = call("figure", "classes", "forget.json", "--out", "f", "--record", "r.json")
    assert drawn.exit_code == 1
    assert "forget.json: is not an audit of `lotus duplicates`: it lacks dataset" in drawn.output


def test_the_reports_table_has_every_pair_of_parts(audited):
    from lotus.results.lookalikes import audit_table

    assert call(*AUDIT).exit_code == 0
    table = audit_table(Path("audit.json"))
    assert [row.pairs for row in table.rows] == [
        *([0, 2, 1, 0], [2, 2, 2, 0], [1, 2, 0, 0], [0, 0, 0, 0])
    ]
    assert table.images == 40
    assert not table.is_clean
