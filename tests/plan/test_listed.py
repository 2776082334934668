"""Lists of single images in a plan: what the step reads, what is refused before any job starts."""

import json
import os
import shutil
from pathlib import Path

import pytest
import raw_files

from lotus.audit.splits_again import compute_again
from lotus.config.origins import Origin
from lotus.config.scenarios import Scenario
from lotus.data.build import build_store, fetch_raw, verify_store
from lotus.data.sources import source
from lotus.data.splits import write_forget_set
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.plan.feasible import refuse_nonsense
from lotus.plan.making import make_plan
from lotus.plan.steps import Steps
from lotus.records.files import sha256
from lotus.records.index import read_index

NETWORK = {"model": "resnet18", "width": 8, "max_pool": False}
LIST = "requests/case-7.csv"
CASE = {"forget_list": LIST}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project with a folder of own images and a list of two of them."""
    monkeypatch.chdir(tmp_path)
    start = raw_files.folders(tmp_path / "birds" / "train", {"ant": 6, "bee": 5}, size=(8, 8))
    raw_files.folders(tmp_path / "birds" / "test", {"ant": 2, "bee": 2}, start, size=(8, 8))
    Path("requests").mkdir()
    Path(LIST).write_text("name\ntrain/ant/0001.png\ntrain/bee/0000.png\n")
    return tmp_path


def content_of(scenario, dataset="birds", name="case-7-listed"):
    own = {"store": {"source": "image-folder", "raw": "birds"}}
    return {
        "seeds": [1, 2],
        "datasets": {dataset: own if dataset == "birds" else {}},
        "architectures": {"small": NETWORK},
        "scenarios": {name: scenario},
        "methods": {"finetune": {"batch_size": 3, "epochs": 1}},
        "grid": [{"datasets": [dataset], "architectures": ["small"], "scenarios": [name]}],
    }


def plan_of(scenario, dataset="birds"):
    content = content_of(scenario, dataset)
    return make_plan(content, [Origin("mine.yaml", content)])


def refused(scenario, dataset="birds"):
    content = content_of(scenario, dataset)
    origin = Origin("mine.yaml", content)
    with pytest.raises(LotusError) as error:
        refuse_nonsense(make_plan(content, [origin]), [origin])
    (line,) = str(error.value).splitlines()
    return line


def steps_of(scenario, dataset="birds"):
    return list(Steps(plan_of(scenario, dataset)).of_kind("choose_forget_set").values())


@pytest.mark.usefixtures("project")
def test_the_list_is_an_input_and_its_bytes_are_told():
    first, second = steps_of(CASE)
    for step in (first, second):
        assert step.inputs["listed"] == [LIST]
        assert step.told["listed"] == [sha256(Path(LIST))]
        (record,) = step.records
        assert {LIST, "data/stores/birds/names.json"} <= {*record.inputs}
        assert record.settings["forget_list"] == LIST
    Path(LIST).write_text("name\ntrain/ant/0002.png\n")
    assert steps_of(CASE)[0].told["listed"] == [sha256(Path(LIST))] != first.told["listed"]


@pytest.mark.usefixtures("project")
def test_what_is_read_of_other_scenarios():
    for scenario, dataset, read in (
        ({"forget_glob": "ant/*"}, "birds", {"data/stores/birds/names.json"}),
        ({"forget_list": "requests/ids.txt"}, "digits", {"requests/ids.txt"}),
    ):
        Path("requests/ids.txt").write_text("1\n")
        (step, _) = steps_of(scenario, dataset)
        of_store = {f"data/stores/{dataset}/{name}" for name in ("source.json", "labels.npy")}
        assert {*step.records[0].inputs} == of_store | read
    assert source("image-folder").has_names
    assert not source("digits").has_names


@pytest.mark.usefixtures("project")
def test_a_list_that_fits_is_not_refused():
    for scenario in (CASE, {"forget_glob": "ant/0*[01].png"}):
        refuse_nonsense(plan_of(scenario), [])
    Path("ids.csv").write_text("id\n0\n999\n")
    refuse_nonsense(plan_of({"forget_list": "ids.csv"}, "digits"), [])


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        (
            {"forget_list": "requests/absent.csv"},
            ".forget_list = 'requests/absent.csv': data set birds: requests/absent.csv: was not found",
        ),
        (
            {"forget_list": "requests/odd.csv"},
            "1 name is of no image, of 1 in the list: 'train/ant/0009.png' (line 2)",
        ),
        ({"forget_list": "requests/all.txt"}, "leaves 11 forget and 0 retain images of 11"),
        ({"forget_list": "requests/none.txt"}, "requests/none.txt: lists no image"),
        (
            {"forget_where": {"subject": 17}},
            "case-7-listed.forget_where: data set birds: forget_where: the images have no columns",
        ),
        (
            {"forget_glob": "cat/*"},
            "case-7-listed.forget_glob: data set birds: forget_glob: 'cat/*' fits the name of no image",
        ),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_does_not_fit_is_refused_before_anything_is_built(scenario, told):
    Path("requests/odd.csv").write_text("name\ntrain/ant/0009.png\n")
    Path("requests/all.txt").write_text("\n".join(map(str, range(11))))
    Path("requests/none.txt").write_text("# none\n")
    found = refused(scenario)
    assert found.startswith("mine.yaml: scenarios.case-7-listed.forget_")
    assert told in found, found
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("dataset", "scenario", "told"),
    [
        ("digits", CASE, "lists names, but the images of this data set have only ids"),
        ("cifar10", CASE, "lists names, but the images of this data set have only ids"),
        (
            "cifar10",
            {"forget_glob": "ant/*"},
            "forget_glob: the images of this data set have only ids",
        ),
        (
            "digits",
            {"forget_list": "ids.csv"},
            "1 id is of held-out images, and only training images",
        ),
    ],
)
@pytest.mark.usefixtures("project")
def test_images_without_names(dataset, scenario, told):
    Path("ids.csv").write_text("id\n0\n1000\n")
    assert told in refused(scenario, dataset)


def build(options):
    fetch_raw("birds", options, (), Path("data/raw/birds.json"))
    store = Path("data/stores/birds")
    build_store("birds", options, Path("data/raw/birds.json"), store, None, 1)
    given = options.model_dump(mode="json", exclude_none=True)
    verify_store(store, None, Path("results/birds/store.json"), given, Path("data/raw/birds.json"))


@pytest.mark.usefixtures("project")
def test_the_audit_chooses_by_the_list_again():
    plan = plan_of(CASE)
    build(plan.settings.datasets["birds"].store)
    path, record = (
        Path("results/birds/splits/seed1/case-7-listed.json"),
        Path("results/records/birds/splits/seed1/case-7-listed.json"),
    )
    scenario = Scenario(**plan.scenario("case-7-listed"))
    write_forget_set(
        Path("data/stores/birds"), scenario, 1, {"scenario": "case-7-listed"}, path, record
    )
    (step, _) = steps_of(CASE)
    written = json.loads(record.read_text())
    assert {*step.records[0].inputs} == {*written["inputs"]}
    assert json.loads(json.dumps(step.records[0].settings)) == written["settings"]

    def found(*unsound):
        index = read_index([record])
        sound = {path.as_posix(), "data/stores/birds/names.json"} - {*unsound}
        return compute_again(index, sound, lambda _: open_store(Path("data/stores/birds")), True)

    assert not found().changed
    content = json.loads(path.read_text())
    content["forget"][0], content["retain"][0] = content["retain"][0], content["forget"][0]
    path.write_text(json.dumps(content))
    assert any("forget set differs by 2 images" in reason for _, reason in found().changed)
    assert not found("data/stores/birds/names.json").changed
    Path(LIST).write_text("name\ntrain/ant/0003.png\n")
    assert not found().changed
    Path(LIST).unlink()
    assert not found().changed


@pytest.mark.usefixtures("project")
def test_images_that_changed_since_the_store_was_built_are_refused_until_it_is_deleted():
    build(plan_of(CASE).settings.datasets["birds"].store)
    refuse_nonsense(plan_of(CASE), [])
    built = Path("data/stores/birds/source.json").stat().st_mtime_ns - 10**9
    os.utime("data/stores/birds/source.json", ns=(built, built))
    raw_files.image(Path("birds/train/ant/0003.png"), 99, (8, 8))
    assert refused(CASE) == (
        "mine.yaml: datasets.birds: train/ant/0003.png in birds changed since data/stores/birds was built: "
        "put back what was there; or delete data/stores/birds and run `snakemake` once with --forcerun "
        "data/raw/birds.json, which makes the store and all that rests on it anew"
    )
    shutil.rmtree("data/stores/birds")
    refuse_nonsense(plan_of(CASE), [])
    build(plan_of(CASE).settings.datasets["birds"].store)
    refuse_nonsense(plan_of(CASE), [])
