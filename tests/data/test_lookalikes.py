"""Images that look alike: hashes, pairs, groups, cleaning, the audit and its figures."""

import csv
import json
from itertools import combinations, pairwise
from pathlib import Path

import imagehash
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lotus.cli.main import main
from lotus.data import hashes as hashing
from lotus.data.content import Content
from lotus.data.duplicates import PRIORITY, choose_kept, distance_histogram, find_similar
from lotus.data.lookalikes import Assigned, assign_parts, audit_images
from lotus.data.splits import ForgetSet, HeldOut, save_forget_set, save_held_out
from lotus.data.store import open_store, write_store
from lotus.errors import LotusError


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def pictures(count, channels=3, seed=0, size=16):
    """Coarse random images: no two look alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(256, size=(count, 4, 4, channels), dtype=np.uint8)
    return coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def bits(first, second):
    return (int(first) ^ int(second)).bit_count()


# Hashes


@pytest.mark.parametrize("channels", [1, 3])
def test_hashes_are_those_of_imagehash(channels):
    images = pictures(20, channels)
    images[7] = 0
    expected = [int(str(imagehash.phash(Image.fromarray(image.squeeze()))), 16) for image in images]
    found = hashing.hash_pixels(images)
    assert found.dtype == np.uint64
    assert found.tolist() == expected
    assert expected[7] == 0


def test_more_processes_give_the_same_hashes(tmp_path):
    count = 2 * hashing.STORE_BLOCK + 5
    images = np.random.default_rng(0).integers(256, size=(count, 3, 3, 1), dtype=np.uint8)
    parts = {"train": (0, count)}
    content = Content(images, np.zeros(count), parts, ("one",))
    write_store(tmp_path / "store", images, content, {"parts": parts}, None)
    store = open_store(tmp_path / "store")
    serial = hashing.hash_store(store, workers=1)
    assert len(serial) == count
    np.testing.assert_array_equal(serial[-5:], hashing.hash_pixels(images[-5:]))
    np.testing.assert_array_equal(hashing.hash_store(store, workers=2), serial)


def test_an_error_in_another_process_is_the_same_error(tmp_path):
    for name in range(hashing.FILE_BLOCK + 1):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())
    assert not hashing.hash_files(paths, workers=2).any()
    paths[-1].write_bytes(b"no image")
    with pytest.raises(LotusError, match=rf"{paths[-1].name}: not a readable image"):
        hashing.hash_files(paths, workers=2)


def test_images_of_two_channels_are_refused(make_store):
    store = make_store([0], [0])
    object.__setattr__(store, "images", np.zeros((2, 4, 4, 2), np.uint8))
    with pytest.raises(LotusError, match="2 channels"):
        hashing.hash_store(store, workers=1)


# Pairs, groups and cleaning


@st.composite
def hashes_in_parts(draw):
    """Up to 24 hashes within a few bits of two centres, each in one of three parts."""
    centres = [0x0123456789ABCDEF, 0xFEDCBA9876543210]
    member = st.tuples(
        st.sampled_from(centres), st.lists(st.integers(0, 63), max_size=4), st.integers(0, 2)
    )
    members = draw(st.lists(member, max_size=24))
    hashes = []
    for centre, flipped, _ in members:
        for bit in flipped:
            centre ^= 1 << bit
        hashes.append(centre)
    return np.array(hashes, np.uint64), np.array([part for _, _, part in members], np.int64)


def brute_pairs(hashes, distance):
    every = combinations(range(len(hashes)), 2)
    return [(i, j) for i, j in every if bits(hashes[i], hashes[j]) <= distance]


@given(given=hashes_in_parts(), distance=st.integers(0, 4))
def test_pairs_and_groups_are_those_of_comparing_all_with_all(given, distance):
    hashes, part = given
    expected = brute_pairs(hashes, distance)
    similar = find_similar(hashes, distance)
    counts = np.zeros((3, 3), np.int64)
    for i, j in expected:
        counts[part[i], part[j]] += 1
    counts = np.tril(counts) + np.triu(counts, 1).T
    found = similar.count_pairs(part, 3)
    np.testing.assert_array_equal(np.tril(found), counts)
    np.testing.assert_array_equal(found, found.T)

    groups = list(range(len(hashes)))
    for i, j in expected * len(hashes):
        groups[i] = groups[j] = min(groups[i], groups[j])
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    assert similar.groups().tolist() == [numbers[group] for group in groups]


@pytest.mark.parametrize("distance", [1, 2, 3, 4])
def test_bands_find_every_close_pair_once(distance):
    rng = np.random.default_rng(distance)
    hashes = rng.integers(2**64, size=40, dtype=np.uint64)
    near = [
        int(value) ^ sum(1 << int(bit) for bit in rng.choice(64, count, replace=False))
        for value in hashes
        for count in range(1, 6)
    ]
    hashes = np.unique(np.array([*hashes.tolist(), *near], np.uint64))
    found = find_similar(hashes, distance).near
    expected = [tuple(sorted(pair)) for pair in brute_pairs(hashes, distance)]
    assert sorted(tuple(sorted(pair)) for pair in found.tolist()) == sorted(expected)


@given(given=hashes_in_parts(), distance=st.integers(0, 4), names=st.permutations(PRIORITY))
def test_cleaning_keeps_one_of_each_group_by_priority(given, distance, names):
    hashes, part = given
    names = names[:3]
    groups = find_similar(hashes, distance).groups()
    kept = choose_kept(groups, part, names)
    assert not brute_pairs(hashes[kept], distance)
    for group in set(groups.tolist()):
        members = np.flatnonzero(groups == group).tolist()
        best = min(members, key=lambda member: (PRIORITY.index(names[part[member]]), member))
        assert [member for member in members if kept[member]] == [best]


def test_held_out_copies_stay_and_forget_goes_before_retain():
    names = ("forget", "retain", "val", "test")
    for low, high in pairwise(["retain", "forget", "val", "test"]):
        part = np.array([names.index(low), names.index(high)])
        assert choose_kept(np.zeros(2, int), part, names).tolist() == [False, True]


def test_many_equal_images_are_counted_not_listed():
    count = 300_000
    hashes = np.zeros(count, np.uint64)
    hashes[-1] = 0b11
    part = np.arange(count) % 2
    similar = find_similar(hashes, 2)
    half = count // 2
    pairs = similar.count_pairs(part, 2)
    assert pairs.tolist() == [
        [half * (half - 1) // 2, half**2],
        [half**2, half * (half - 1) // 2],
    ]
    assert len(similar.near) == 1
    assert not similar.groups().any()


def test_distances_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    first, second = (rng.integers(2**64, size=n, dtype=np.uint64) for n in (30, 50))
    second[0] = first[0]
    expected = np.bincount([bits(a, b) for a in first for b in second], minlength=65)
    every = distance_histogram(first, second, 1500, rng)
    np.testing.assert_array_equal(every, expected)
    sampled = [
        distance_histogram(first, second, 1400, np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    assert [histogram.sum() for histogram in sampled] == [1400] * 3
    np.testing.assert_array_equal(sampled[0], sampled[1])
    assert (sampled[0] != sampled[2]).any()
    assert not sampled[2][expected == 0].any()
    mean = np.arange(65) @ expected / 1500
    assert np.arange(65) @ sampled[2] / 1400 == pytest.approx(mean, abs=0.5)


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
    with pytest.raises(LotusError, match=r"other.json: indices 0…40, but store has 40 images"):
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
    from lotus.figures.images import duplicates

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
    with Path("store/images.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\0" if file.read(1) != b"\0" else b"\1")
    with pytest.raises(LotusError, match="not the images that were audited"):
        duplicates([Path("audit.json")])


def test_classes_have_one_order_in_all_parts(audited):
    from lotus.figures.images import classes

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
    from lotus.figures.images import similarity

    assert call(*AUDIT).exit_code == 0
    audit = json.loads(Path("audit.json").read_text())
    (axes,) = similarity([Path("audit.json"), Path("audit.json")]).axes
    assert len(axes.lines) == 2
    share = np.cumsum(audit["similarity"]["histogram"]) / (6 * 18)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), share)
    Path("audit.json").write_text(json.dumps({**audit, "similarity": None}))
    with pytest.raises(LotusError, match="no forget set was audited"):
        similarity([Path("audit.json")])


def test_other_files_are_no_audits(audited):
    drawn = call("figure", "classes", "forget.json", "--out", "f", "--record", "r.json")
    assert drawn.exit_code == 1
    assert "forget.json: not an audit of `lotus duplicates`: lacks dataset" in drawn.output


def test_the_reports_table_has_every_pair_of_parts(audited):
    from lotus.results.lookalikes import audit_table

    assert call(*AUDIT).exit_code == 0
    table = audit_table(Path("audit.json"))
    assert [row.pairs for row in table.rows] == [
        *([0, 2, 1, 0], [2, 2, 2, 0], [1, 2, 0, 0], [0, 0, 0, 0])
    ]
    assert table.images == 40
    assert not table.is_clean


# MUFAC


@pytest.fixture
def mufac(tmp_path, monkeypatch):
    """MUFAC's layout: 10 training, 4 validation, 4 test images; the first 4 rows are forgotten.

    Rows 1 and 2 (forget) and 5 (retain) look alike, 6 (retain) and 0 (test), 1 (val) and 1 (test).
    """
    monkeypatch.chdir(tmp_path)
    images = iter(pictures(18, size=32))
    first = {}
    for split, count in {"train": 10, "val": 4, "test": 4}.items():
        folder = Path("mufac") / f"{split}_images"
        folder.mkdir(parents=True)
        lines = ["family_id,person_id,age_class,image_path"]
        for row in range(count):
            name = f"F{row:04}_AGE_D_18_a1.png"
            first[split, row] = next(images)
            Image.fromarray(first[split, row]).save(folder / name)
            lines.append(f'F{row:04},D,"a",{name}' if row else f"F{row:04},NA,a,{name}")
        Path("mufac", f"custom_{split}_dataset.csv").write_text("\n".join(lines) + "\n")
    same = {("train", 2): 1, ("train", 5): 1, ("test", 0): 6}
    for (split, row), of in same.items():
        put(split, row, first["train", of])
    put("val", 1, first["test", 1])
    return tmp_path


def put(split, row, image):
    Image.fromarray(image).save(Path("mufac") / f"{split}_images/F{row:04}_AGE_D_18_a1.png")


CLEAN = ["clean-mufac", "mufac", "mufac_clean", "--forget-rows", 4, "--workers", 1]


def rows_of(split, folder="mufac_clean"):
    with Path(folder, f"custom_{split}_dataset.csv").open() as file:
        return [int(line["family_id"][1:]) for line in csv.DictReader(file)]


def test_mufac_is_cleaned(mufac):
    result = call(*CLEAN)
    assert result.exit_code == 0, result.output
    assert rows_of("train") == [0, 1, 3, 4, 7, 8, 9]
    assert rows_of("val") == [0, 2, 3]
    assert rows_of("test") == [0, 1, 2, 3]
    head, line = Path("mufac_clean/custom_train_dataset.csv").read_text().splitlines()[:2]
    assert head == "family_id,person_id,age_class,image_path"
    assert line == "F0000,NA,a,F0000_AGE_D_18_a1.png"
    for split in ("train", "val", "test"):
        names = {path.name for path in Path("mufac_clean", f"{split}_images").iterdir()}
        assert names == {f"F{row:04}_AGE_D_18_a1.png" for row in rows_of(split)}
        for name in names:
            mine, theirs = (Path(f, f"{split}_images", name) for f in ("mufac_clean", "mufac"))
            assert mine.samefile(theirs)
    printed = [line.split() for line in result.output.splitlines()]
    for line in (
        ["forget", "4", "3", "1062"],
        ["retain", "6", "4", "5513"],
        ["val", "4", "3", "1211"],
        ["test", "4", "4", "1118"],
        ["forget", "1", "496"],
        ["forget-retain", "2", "26"],
        ["train-test", "1", "54"],
        ["train-val", "0", "0"],
        ["val-test", "1", "16"],
    ):
        assert line in printed
    record = json.loads(Path("mufac_clean/cleaning.json").read_text())
    assert record["notes"]["after"] == {"forget": 3, "retain": 4, "val": 3, "test": 4}
    assert call("clean-mufac", "mufac_clean", "again", "--forget-rows", 3).exit_code == 0
    assert rows_of("train", "again") == rows_of("train")


def test_images_are_copied_where_links_fail(mufac, monkeypatch):
    def refuse(*_):
        raise OSError("another file system")

    monkeypatch.setattr("os.link", refuse)
    assert call(*CLEAN).exit_code == 0
    name = "test_images/F0000_AGE_D_18_a1.png"
    mine, theirs = Path("mufac_clean", name), Path("mufac", name)
    assert not mine.samefile(theirs)
    assert mine.read_bytes() == theirs.read_bytes()


def without_csv():
    Path("mufac/custom_val_dataset.csv").unlink()


def without_column():
    path = Path("mufac/custom_test_dataset.csv")
    path.write_text(path.read_text().replace("age_class", "age"))


def without_image():
    Path("mufac/train_images/F0003_AGE_D_18_a1.png").unlink()


def with_path():
    path = Path("mufac/custom_val_dataset.csv")
    path.write_text(path.read_text().replace("F0002_AGE", "../test_images/F0002_AGE"))


def with_damaged_image():
    Path("mufac/val_images/F0000_AGE_D_18_a1.png").write_bytes(b"no image")


def with_empty_csv():
    Path("mufac/custom_train_dataset.csv").write_text("")


def with_few_rows():
    path = Path("mufac/custom_train_dataset.csv")
    path.write_text("\n".join(path.read_text().splitlines()[:5]) + "\n")


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (without_csv, ["mufac/custom_val_dataset.csv", "not found"]),
        (
            without_column,
            ["custom_test_dataset.csv: column age_class missing", "it has family_id, person_id"],
        ),
        (without_image, ["custom_train_dataset.csv, line 5", "F0003_AGE", "mufac/train_images"]),
        (with_path, ["custom_val_dataset.csv, line 4", "../test_images/F0002"]),
        (with_damaged_image, ["val_images/F0000_AGE_D_18_a1.png: not a readable image"]),
        (with_empty_csv, ["custom_train_dataset.csv: no CSV file"]),
        (with_few_rows, ["custom_train_dataset.csv: 4 rows", "--forget-rows 4"]),
        (lambda: Path("mufac_clean").mkdir(), ["mufac_clean: exists already"]),
    ],
)
def test_mistakes_in_mufac_are_answered_in_one_line(mufac, damage, parts):
    damage()
    before = sorted(mufac.rglob("*"))
    result = call(*CLEAN)
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
    for part in parts:
        assert part in result.output
    assert sorted(mufac.rglob("*")) == before
