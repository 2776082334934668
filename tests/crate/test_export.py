"""Writing a crate: where, of what, and what is refused."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from project_for_crates import LIMIT, ORIGINAL, RUN, edited, files_of, is_copied
from run_crate import Metadata, demand_all

from lotus.cli.main import main
from lotus.crate.export import export_crate
from lotus.errors import LotusError


def test_a_zip_file_holds_the_same(crate, tmp_path):
    export_crate(Path("../crate.zip"), LIMIT)
    with zipfile.ZipFile("../crate.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = Metadata(tmp_path / "unpacked")
    assert unpacked.content == crate.content
    demand_all(unpacked)


def test_the_same_records_give_the_same_bytes(crate):
    export_crate(Path("../again"), LIMIT)
    name = "ro-crate-metadata.json"
    assert Path("../again", name).read_bytes() == Path("../crate", name).read_bytes()
    assert crate.root["datePublished"] == max(a["endTime"] for a in crate.of("CreateAction"))


def change_output(project):
    (RUN / "predictions.npz").write_text("changed")
    return [
        f"{RUN}/predictions.npz: its bytes are not those that {RUN}/run.json (and 2 more) states"
    ]


def change_input(project):
    Path("data/raw/tiny.json").write_text("changed")
    return ["data/raw/tiny.json: its bytes are not those that results/tiny/store.json states"]


def edit_record(project):
    path = ORIGINAL / "run.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    return [
        f"{path}: it was edited: it does not have the digest that it states",
        f"{path}: its bytes are not those that results/records/ledger.json (and 1 more) states",
    ]


def reseal_record(project):
    edited(RUN / "run.json", settings={})
    return [
        f"{RUN}/run.json: its bytes are not those that results/records/ledger.json (and 1 more) states"
    ]


def remove_record(project):
    Path("results/tiny/store.json").unlink()
    return [
        "results/tiny/store.json: this record is missing, and results/records/ledger.json names it"
    ]


def two_stories(project):
    path = Path("results/records/tables/t1.table.json")
    (RUN / "predictions.npz").unlink()
    edited(path, inputs={str(RUN / "predictions.npz"): "0" * 64})
    return [
        f"{RUN}/predictions.npz: is missing, and records state different bytes of it",
        f"{path}: its bytes are not those",
    ]


def folder_for_output(project):
    (RUN / "predictions.npz").unlink()
    (RUN / "predictions.npz").mkdir()
    return [f"{RUN}/predictions.npz: cannot be read as a file"]


REFUSED = [
    *(change_output, change_input, edit_record, reseal_record, remove_record, two_stories),
    folder_for_output,
]


@pytest.mark.parametrize("change", REFUSED)
def test_what_disagrees_is_named_and_nothing_written(project, change):
    messages = change(project)
    with pytest.raises(LotusError) as error:
        export_crate(Path("../crate"), LIMIT)
    for message in messages:
        assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1 + len(messages)
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_all_that_disagrees_is_named(project):
    messages = [*change_output(project), *change_input(project)]
    with pytest.raises(LotusError) as error:
        export_crate(Path("../crate"), LIMIT)
    assert str(error.value).splitlines()[1:] == [
        f"  {message}" for message in sorted(messages)[::1]
    ]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("config", "config: already exists"),
        ("Snakefile", "Snakefile: already exists"),
        ("taken.zip", "taken.zip: already exists"),
        ("results/crate", "--out: results/crate lies in results; accepted: a place outside"),
        ("data/stores/crate", "--out: data/stores/crate lies in data/stores; accepted: a place"),
        ("data/stores/tiny/crate.zip", "--out: data/stores/tiny/crate.zip lies in data/stores"),
    ],
)
def test_a_place_that_is_taken_is_refused(project, out, message):
    Path("taken.zip").mkdir()
    with pytest.raises(LotusError, match=f"^{message}"):
        export_crate(Path(out), LIMIT)


def test_an_empty_folder_is_filled(project):
    Path("../crate").mkdir()
    export_crate(Path("../crate"), LIMIT)
    demand_all(Metadata("../crate"))


@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("results/records/experiment.json", "results/records/experiment.json: is not there"),
        ("Snakefile", "Snakefile: is not there"),
        ("CITATION.cff", "CITATION.cff: cannot be read"),
    ],
)
def test_a_project_without_its_run_workflow_or_citation_is_refused(project, lacks, message):
    Path(lacks).unlink()
    with pytest.raises(LotusError, match=message):
        export_crate(Path("../crate"), LIMIT)


def test_a_citation_without_a_licence_is_refused(project):
    Path("CITATION.cff").write_text("title: Tiny\nauthors: [{name: C}]\n")
    with pytest.raises(LotusError, match=r"CITATION.cff: lacks license"):
        export_crate(Path("../crate"), LIMIT)


@pytest.mark.parametrize("out", ["../crate", "../crate.zip"])
def test_a_failed_write_leaves_nothing(project, monkeypatch, out):
    def fail(self, *arguments, **options):
        raise OSError("full")

    monkeypatch.setattr("rocrate.model.metadata.Metadata.stream", fail)
    with pytest.raises(LotusError, match="cannot be written: full"):
        export_crate(Path(out), LIMIT)
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_the_command_says_what_it_wrote_or_why_not(project):
    arguments = ["export-crate", "--out", "../crate", "--copy-below", str(LIMIT)]
    done = CliRunner().invoke(main, arguments)
    files = files_of(Metadata("../crate"))
    copied = sum(map(is_copied, files.values()))
    assert (
        done.output
        == f"../crate: 8 steps, {copied} files, {len(files) - copied} more by their digest only\n"
    )
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ../crate: already exists")


def test_torch_is_not_loaded():
    code = "import sys, lotus.crate.export; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
