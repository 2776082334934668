"""Forget sets by a list, by columns, by patterns of names, on real image files; what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import raw_files
from own_images import NFC, NFD, store_of

from lotus.config.scenarios import Scenario
from lotus.data.forget_lists import check_listed
from lotus.data.splits import choose_forget_set, write_forget_set
from lotus.data.store import read_names
from lotus.errors import LotusError

CLASSES = {"ant": 4, "bee": 3}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store of class folders, and one behind a list of the same images with the column `subject`."""
    root = tmp_path_factory.mktemp("own")
    start = raw_files.folders(root / "own" / "train", CLASSES)
    raw_files.folders(root / "own" / "test", {"ant": 2, "bee": 2}, start)
    raw_files.image(root / "own" / "train" / "ant" / "deep" / f"{NFD}.png", 50)
    raw_files.image(root / "own" / "train" / "ant" / "deep" / "only.png", 51)
    names = sorted(
        path.relative_to(root / "own").as_posix() for path in (root / "own").rglob("*.png")
    )
    rows = [
        (name, name.split("/")[1], name.split("/")[0], f"0{i % 3}", "x")
        for i, name in enumerate(names)
    ]
    header = ("path", "label", "split", "subject", "camera")
    raw_files.table(root / "own" / "all.csv", header, rows)
    folders, table = (
        store_of(root / "own" / name, root / f"built-{name[:3]}") for name in ("", "all.csv")
    )
    return folders, table


@pytest.fixture
def store(stores):
    return stores[0]


@pytest.fixture
def table(stores):
    return stores[1]


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Writes a list and gives the scenario of it."""
    monkeypatch.chdir(tmp_path)
    Path("requests").mkdir()

    def write(content, name="case-7.csv"):
        path = Path("requests") / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Scenario(forget_list=path.as_posix())

    return write


def chosen_names(store, scenario):
    chosen = choose_forget_set(store, scenario, seed=0)
    both = np.concatenate([chosen.forget, chosen.retain])
    assert np.array_equal(np.sort(both), store.part("train"))
    names = read_names(store).names
    return [names[at] for at in chosen.forget], chosen


def refused(store, scenario):
    with pytest.raises(LotusError) as error:
        choose_forget_set(store, scenario, seed=0)
    assert str(error.value).isprintable(), str(error.value)
    return str(error.value)


WANTED = ["train/ant/0001.png", "train/bee/0000.png"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("case-7.csv", "name\ntrain/bee/0000.png\ntrain/ant/0001.png\n"),
        ("case-7.csv", "\ufeffnote,name,id\r\nx,train/ant/0001.png ,5\r\n\r\n, train/bee/0000.png,9\r\n"),
        ("case-7.CSV", 'Name\n"train/ant/0001.png"\n./train/bee/../bee/0000.png\n'),
        ("case-7.txt", "# a request\n\n  train/ant/0001.png  \r\ntrain\\bee\\0000.png"),
        ("case-7.txt", '\ufeff"train/ant/0001.png"\rtrain/bee/0000.png\r'),
        ("ids.csv", "id,subject\n1,17\n6,18\n"),
        ("ids.txt", "6\n01\n"),
    ],
)  # fmt: skip
def test_images_are_listed_in_all_the_ways_that_people_write(store, listed, name, content):
    names, chosen = chosen_names(store, listed(content, name))
    assert names == WANTED
    how = "given by id in" if name.startswith("ids") else "named in"
    assert chosen.rule == f"2 images {how} requests/{name}"
    assert not chosen.class_forgetting


def test_as_much_of_a_path_does_as_no_other_image_has(store, listed):
    for end in ("only.png", "deep/only.png"):
        names, _ = chosen_names(store, listed(f"name\n{end}\n"))
        assert names == ["train/ant/deep/only.png"]


@pytest.mark.parametrize("form", [NFC, NFD])
def test_forms_of_unicode_are_one_name(store, table, listed, form):
    for place in (store, table):
        names, _ = chosen_names(place, listed(f"name\n{form}.png\n"))
        assert names == [f"train/ant/deep/{NFD}.png"]


def test_of_names_that_differ_in_their_form_alone_the_one_that_is_written(tmp_path, listed):
    raw_files.folders(tmp_path / "own" / "train", {"ant": 1, "bee": 2})
    raw_files.folders(tmp_path / "own" / "test", {"ant": 1, "bee": 1})
    for number, form in enumerate((NFC, NFD, "ḗ", "é")):
        raw_files.image(tmp_path / "own" / "train" / "ant" / f"{form}.png", number)
    store = store_of(tmp_path / "own", tmp_path / "built")
    for form in (NFC, NFD):
        names, _ = chosen_names(store, listed(f"name\n{form}.png\n"))
        assert names == [f"train/ant/{form}.png"]


def test_files_that_are_called_by_numbers_are_names(tmp_path, listed):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            for number in range(3):
                raw_files.image(tmp_path / "own" / part / name / f"{part}{number}", number)
    raw_files.image(tmp_path / "own" / "train" / "bee" / "2", 70)
    store = store_of(tmp_path / "own", tmp_path / "built")
    names, chosen = chosen_names(store, listed("2\n", "case-7.txt"))
    assert names == ["train/bee/2"]
    assert chosen.rule == "1 image named in requests/case-7.txt"


def test_an_image_in_several_rows_is_forgotten_in_all_of_them(tmp_path, listed):
    for number in range(4):
        raw_files.image(tmp_path / "own" / f"{number}.png", number)
    rows = ["0,a", "1,a", "2,b", "3,b", "0,a", "2,b"]
    splits = ["train"] * 4 + ["train", "test"]
    table = tmp_path / "own" / "t.csv"
    lines = (f"{row[0]}.png,{row[2]},{split}\n" for row, split in zip(rows, splits, strict=True))
    table.write_text("path,label,split\n" + "".join(lines))
    store = store_of(table, tmp_path / "built")
    chosen = choose_forget_set(store, listed("name\n0.png\n2.png\n"), seed=0)
    assert chosen.forget.tolist() == [0, 4, 2]
    assert chosen.rule == "3 images named in requests/case-7.csv"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (
            "train/ant/0009.png\ntrain/ant/0001.png\nx\ny\nz",
            ["4 names are of no image, of 5 in the list: 'train/ant/0009.png' (line 2), 'x' (line 4), "
             "'y' (line 5) and 1 more", "did you mean 'train/ant/000", "such as train/ant/0000.png"],
        ),
        (
            "ant/0001.png",
            ["1 name is of several images; give more of the path: 'ant/0001.png' (line 2) fits "
             "train/ant/0001.png, test/ant/0001.png"],
        ),
        (
            "test/ant/0000.png\ntest/bee/0001.png",
            ["2 names are of held-out images, and only training images can be forgotten: "
             "'test/ant/0000.png' (line 2), 'test/bee/0001.png' (line 3)"],
        ),
        (
            "train/ant/0001.png\nonly.png\ntrain/ant/deep/only.png",
            ["1 name is of images that stand there twice: 'train/ant/deep/only.png' (lines 3 and 4)"],
        ),
        (
            "bee.png\n0000.png\ntest/ant/0000.png",
            ["1 name is of no image, of 3 in the list: 'bee.png' (line 2)", "; 1 name is of several images",
             "fits train/ant/0000.png, train/bee/0000.png, test/ant/0000.png and 1 more",
             "; 1 name is of held-out images"],
        ),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_list_is_told_in_one_line(store, listed, content, parts):
    found = refused(store, listed(f"name\n{content}\n"))
    assert found.startswith("requests/case-7.csv: ")
    for part in parts:
        assert part in found, found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("13", "1 id is of no image, of 1 in the list: '13' (line 2); accepted: whole numbers from"),
        ("-1", "'-1' (line 2); accepted: whole numbers from 0 to 12"),
        ("1.0", "'1.0' (line 2); accepted: whole numbers"),
        ("1" * 30, "(line 2); accepted: whole numbers"),
        ("9\n10", "2 ids are of held-out images, and only training images can be forgotten"),
        ("1\n01", "1 id is of images that stand there twice: '01' (lines 2 and 3)"),
    ],
)  # fmt: skip
def test_ids_are_places_of_training_images(store, listed, content, told):
    assert told in refused(store, listed(f"id\n{content}\n"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "", "is not a CSV file: it is empty"),
        ("a.csv", "name\n", "has no rows below the header"),
        (
            "a.csv",
            "file\nx.png\n",
            "has no column name or id; it has file; columns are separated by",
        ),
        (
            "a.csv",
            "name;id\nx;1\n",
            "has no column name or id; it has name;id; columns are separated",
        ),
        ("a.csv", "name,id\nx,1\n,2\n", "line 3: name is empty"),
        ("a.csv", "name\nx,y\n", "line 2: 2 fields, but the header has 1"),
        ("a.csv", b"name\ncaf\xe9\n", "line 2: is not a CSV file in UTF-8"),
        ("a.txt", "\n# nothing\n", "lists no image; it needs one name or id at least"),
        ("a.txt", b"a\ncaf\xe9\n", "a.txt: line 2: is not text in UTF-8; save it as UTF-8"),
        ("a.txt", "a".encode("utf-16"), "a.txt: is not text in UTF-8; save it as UTF-8"),
    ],
)
def test_files_that_are_no_lists_are_refused(store, listed, name, content, told):
    scenario = listed(content, name)
    assert told in refused(store, scenario)
    with pytest.raises(LotusError):
        check_listed(scenario, has_names=True)


@pytest.mark.parametrize("name", ["absent.csv", "absent.txt", "folder.csv", "folder.txt"])
@pytest.mark.usefixtures("listed")
def test_lists_that_are_not_there_are_refused(store, name):
    Path("folder.csv").mkdir()
    Path("folder.txt").mkdir()
    found = refused(store, Scenario(forget_list=name))
    assert name in found
    assert "was not found" in found or "cannot be read" in found


def test_a_list_of_all_training_images_is_refused(store, listed):
    every = "\n".join(map(str, store.part("train").tolist()))
    assert "leaves 9 forget and 0 retain images of 9" in refused(store, listed(f"id\n{every}\n"))


def test_a_class_that_keeps_no_image_is_said(store, listed):
    bees = [f"train/bee/{i:04d}.png" for i in range(3)]
    _, chosen = chosen_names(store, listed("\n".join(bees), "bees.txt"))
    assert chosen.rule == "3 images named in requests/bees.txt; all there is of the class bee"
    assert chosen.class_forgetting
    _, chosen = chosen_names(store, listed("\n".join([*bees, "only.png"]), "bees.txt"))
    assert chosen.rule.endswith("; all there is of the class bee")
    assert not chosen.class_forgetting


# Columns


def subjects(table):
    names = read_names(table)
    return {names.names[at]: names.columns["subject"][at] for at in table.part("train").tolist()}


@pytest.mark.parametrize("wanted", [{"subject": "01"}, {"subject": ["01"], "camera": " x "}])
def test_all_images_of_a_column_value_are_forgotten(table, wanted):
    names, chosen = chosen_names(table, Scenario(forget_where=wanted))
    assert sorted(names) == sorted(name for name, of in subjects(table).items() if of == "01")
    said = "subject = 01" + (" and camera = x" if "camera" in wanted else "")
    assert chosen.rule == f"all {len(names)} training images with {said}"


def test_any_of_several_values_does(table):
    names, chosen = chosen_names(table, Scenario(forget_where={"subject": ["01", "02"]}))
    assert {subjects(table)[name] for name in names} == {"01", "02"}
    assert chosen.rule == f"all {len(names)} training images with subject = 01 or 02"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (
            {"subjct": 1},
            "forget_where: there is no column 'subjct'; did you mean 'subject'? accepted: camera",
        ),
        (
            {"subject": 1},
            "forget_where: no training image has subject = 1; did you mean '01'? accepted: 00, 01",
        ),
        ({"subject": ["01", "03"]}, "no training image has subject = 03"),
        ({"camera": "x"}, "leaves 9 forget and 0 retain images"),
    ],
)
def test_columns_and_values_that_are_not_there_are_refused(table, wanted, told):
    assert told in refused(table, Scenario(forget_where=wanted))


def test_values_that_no_image_has_together_are_refused(tmp_path):
    for number in range(4):
        raw_files.image(tmp_path / f"{number}.png", number)
    (tmp_path / "t.csv").write_text(
        "path,label,split,subject,eyes\n0.png,a,train,1,blue\n1.png,b,train,2,brown\n2.png,a,test,1,blue\n"
    )
    store = store_of(tmp_path / "t.csv", tmp_path / "built")
    told = "forget_where: no training image has subject = 1 and eyes = brown"
    assert told in refused(store, Scenario(forget_where={"subject": 1, "eyes": "brown"}))
    (only,) = choose_forget_set(store, Scenario(forget_where={"subject": 1}), 0).forget
    assert only == 0


def test_columns_of_folders_are_refused(store):
    assert "the images have no columns; accepted: a CSV file of images with columns" in refused(
        store, Scenario(forget_where={"subject": 1})
    )


# Patterns


@pytest.mark.parametrize(
    ("patterns", "count"),
    [
        ("train/ant/*", 4),
        ("ant/*", 4),
        ("deep/*", 2),
        ("ant/**", 6),
        ("train/**/00*.png", 7),
        ("000[12].png", 4),
        ("./train/bee/000?.png", 3),
        (["deep/only.png", "train/bee/*1.png", "only.*"], 2),
        ([f"{NFC}.png"], 1),
        ([f"*/{NFD[:2]}*"], 1),
    ],
)
def test_images_whose_names_fit_a_pattern_are_forgotten(store, patterns, count):
    names, chosen = chosen_names(store, Scenario(forget_glob=patterns))
    assert len(names) == count
    said = " or ".join([patterns] if isinstance(patterns, str) else patterns)
    whose = "image whose name fits" if count == 1 else "images whose names fit"
    assert chosen.rule.partition(";")[0] == f"{count} training {whose} {said}"


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("subject17/*", "no image"),
        ("test/ant/*", "only held-out images"),
        ("deep", "no image"),
        (".", "no image"),
        ("/train/*", "no image"),
        ("ANT/*", "no image"),
    ],
)
def test_patterns_that_fit_no_training_image_are_refused(store, pattern, what):
    found = refused(store, Scenario(forget_glob=["only.png", pattern]))
    told = f"forget_glob: '{pattern}' fits the name of {what}; names of training images are such as train/"
    assert told in found


def test_many_wildcards_take_no_time(store):
    pattern = "/".join(["**"] * 200 + ["nothing"])
    assert "fits the name of no image" in refused(store, Scenario(forget_glob=pattern))


# Data sets without names


def test_images_without_names_are_asked_for_by_id(make_store, listed):
    store = make_store([0] * 5 + [1] * 5, [0, 1])
    chosen = choose_forget_set(store, listed("name,id\nx,7\ny,2\n"), seed=0)
    assert chosen.forget.tolist() == [2, 7]
    assert chosen.rule == "2 images given by id in requests/case-7.csv"
    for scenario in (listed("name\nx.png\n", "a.csv"), listed("x.png\n", "a.txt")):
        told = (
            "lists names, but the images of this data set have only ids; accepted: ids, which are"
        )
        assert told in refused(store, scenario)
    for scenario in (Scenario(forget_where={"subject": 1}), Scenario(forget_glob="*")):
        told = f"{scenario.kind}: the images of this data set have only ids, no names and columns"
        assert told in refused(store, scenario)
        with pytest.raises(LotusError, match="no names and columns"):
            check_listed(scenario, has_names=False)
        check_listed(scenario, has_names=True)


def test_the_record_states_the_list_and_the_names(store, listed):
    scenario = listed("name\nonly.png\n")
    write_forget_set(store.folder, scenario, 0, {}, Path("out.json"), Path("record.json"))
    record = json.loads(Path("record.json").read_text())
    assert "requests/case-7.csv" in record["inputs"]
    assert any(name.endswith("names.json") for name in record["inputs"])
    assert record["settings"]["forget_list"] == "requests/case-7.csv"
    assert record["notes"]["rule"] == "1 image named in requests/case-7.csv"
