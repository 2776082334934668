"""DVC files, which others can have written: what they may name, and where that may lie."""

from pathlib import Path

import pytest

from lotus.errors import LotusError
from lotus.tracking.dvc_files import dvc_entries_of


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder whose `results/folder` is a link that leads out of it; the present folder."""
    folder, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    (folder / "results/a").mkdir(parents=True)
    (folder / "results/folder").symlink_to(outside)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("data.dvc", "outs: [{path: ../x, md5: ab}]", "accepted: files below data/stores"),
        ("data.dvc", "outs: [{path: results/x, md5: ab}]", "accepted: files below data/stores"),
        ("models.dvc", "outs: [{path: lotus/x.py, md5: ab}]", "accepted: files below results"),
        ("models.dvc", "outs: [{path: /x, md5: ab}]", "accepted: files below results"),
        ("models.dvc", "outs: [{path: results/../x, md5: ab}]", "accepted: files below results"),
        ("models.dvc", "outs: [{path: results/folder/x, md5: ab}]", "by a link, to "),
        ("models.dvc", "outs: [{path: results/x, md5: ab/../../x}]", "'ab/../../x' is no md5"),
        ("models.dvc", "{outs: [], wdir: ..}", "key 'wdir'; accepted: outs, meta, desc"),
        ("models.dvc", "{outs: [], deps: [{path: x}]}", "key 'deps'"),
        ("models.dvc", "{outs: [], cmd: touch x}", "key 'cmd'"),
        ("models.dvc", "outs: [{path: results/x, files: [{relpath: ../x}]}]", "key 'files'"),
        ("models.dvc", "outs: [", "is not a DVC file"),
        ("models.dvc", "stores: []", "is not a DVC file"),
        ("models.dvc", "- 3", "is not a DVC file"),
        ("models.dvc", "outs: [{path: 1, md5: ab}]", "1 stands in place of a path"),
        ("models.dvc", "outs: " + "[" * 2000, "is not a DVC file"),
    ],
)
def test_dvc_files_that_lead_elsewhere(project, file, text, said):
    Path(file).write_text(text)
    with pytest.raises(LotusError, match=f"^{file}: ") as caught:
        dvc_entries_of(Path(file))
    assert said in str(caught.value)


def test_dvc_files_as_they_are_written(project):
    assert dvc_entries_of(Path("models.dvc")) == {}
    entry = {"path": "results/a/x", "md5": "ab", "size": 3, "hash": "md5", "meta": {"record": "r"}}
    Path("models.dvc").write_text(f"outs: [{entry}]")
    assert dvc_entries_of(Path("models.dvc")) == {"results/a/x": entry}
