"""Source files outside the project: what may be absent, and what may not be other than it was."""

import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace

from built_by_hand import PLACE, SEED, STORE, TABLE, put, step, tree_of, write_store_record

from lotus.data import raw, sources
from lotus.data.sources import RawFile
from lotus.lineage import raw_folders
from lotus.records.files import sha256, write_json


def test_source_files_elsewhere_may_be_absent_and_the_store_names_them_without_the_list(project):
    shutil.rmtree(project / "data/raw")
    tree = tree_of(TABLE)
    assert tree.problems == []
    absent = [node for node in tree.nodes.values() if node.note]
    assert [node.path for node in absent] == ["data/raw/tiny.json", "data/raw/tiny/tiny.gz"]
    assert absent[1].digest == sha256(project / "data/embedded/tiny.gz")
    assert {node.state for node in absent} == {"not at hand"}


def test_weights_on_another_disk_may_be_absent_but_not_other_than_they_were(
    project, tmp_path, monkeypatch
):
    weights = tmp_path / "weights.bin"
    put(weights, "pretrained")
    made = [
        f"{SEED}/original/corrected/{name}" for name in ("model.safetensors", "predictions.npz")
    ]
    step("original", [STORE[2], weights], made, {**PLACE, "row": "original", "seed": 1})
    weights.write_text("others")
    tree = tree_of(made[0])
    assert tree.problems == []
    assert tree.nodes[weights.as_posix()].state == "outside the project, and not read (LOTUS_DISKS)"
    monkeypatch.setenv("LOTUS_DISKS", str(tmp_path))
    (problem,) = tree_of(made[0]).problems
    assert problem.startswith(f"{weights}: its bytes are ")
    weights.unlink()
    tree = tree_of(made[0])
    assert tree.problems == []
    assert tree.nodes[weights.as_posix()].state == "not at hand"


def test_a_publishers_folder_is_held_against_its_known_members(project, monkeypatch):
    put("data/embedded/batches/a", "A")
    put("data/embedded/batches/b", "B")
    md5 = {name: hashlib.md5(name.upper().encode()).hexdigest() for name in "ab"}
    file = RawFile("tiny.gz", "", unpacks="batches", members=md5)
    monkeypatch.setattr(sources, "source", lambda name: SimpleNamespace(files=[file]))
    folder = "data/embedded/batches"
    of_members = raw.check(file, Path(folder)).sha256

    def listed(digest):
        stated = {"name": "tiny.gz", "path": folder, "sha256": digest, "published": True}
        write_json(Path("data/raw/tiny.json"), {"dataset": "tiny", "files": [stated]})
        write_store_record()
        return tree_of("data/stores/tiny")

    # Found as a folder; unpacked from an archive.
    for digest, note in ((of_members, ""), ("f" * 64, raw_folders.PUBLISHED)):
        tree = listed(digest)
        assert tree.problems == []
        assert tree.nodes[folder].note == note
        put(f"{folder}/a", "other")
        (problem,) = listed(digest).problems
        assert problem.startswith(f"{folder}/a: md5 is ")
        put(f"{folder}/a", "A")
    Path(folder, "b").unlink()
    (problem,) = listed(of_members).problems
    assert "it lacks b" in problem
