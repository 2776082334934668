"""Where paths that others wrote may lead; every reader of records follows none that leads out."""

import os
from pathlib import Path

import pytest
from hand_made import digest_of, write_by_hand

from lotus import layout
from lotus.attest.attest import AttestationWish, attest
from lotus.attest.verify import verify
from lotus.audit.audit import audit
from lotus.audit.unrecorded_files import listed
from lotus.errors import LotusError
from lotus.impact.impact import find_impact
from lotus.lineage.artifacts import find_node
from lotus.lineage.build_tree import build_tree
from lotus.names import without_home
from lotus.records.digests import digests
from lotus.records.files import relative, sha256
from lotus.records.index import read_index
from lotus.records.ledger import seal
from lotus.records.places import followed, is_named_outside, leads_out
from lotus.records.reading import find_record
from lotus.results.experiment import read_experiment

RUN = Path("results/a/run.json")


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder with a file that is nobody's business, beside the project in which the test runs."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    (tmp_path / "project/results/a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", str(folder))
    return folder


def links(outside):
    """Paths of the secret by a link, and by a folder that is one."""
    Path("results/link").symlink_to(outside / "secret")
    Path("results/folder").symlink_to(outside)
    return ["results/link", "results/folder/secret"]


def names(outside):
    """Names of the secret that are those of a place outside."""
    return [str(outside / "secret"), os.path.relpath(outside / "secret"), "~/secret"]


def test_paths_that_stay_and_paths_that_leave(outside):
    Path("results/inner").symlink_to("a")
    Path("results/circle").symlink_to("circle")
    for path in ("results/a", "results/inner/x", "nowhere/at/all", "results/circle", "x\0y", ""):
        assert leads_out(path) == ""
    for path in names(outside):
        assert is_named_outside(path)
        assert leads_out(path) == "lies outside the project"
    for path in links(outside):
        assert not is_named_outside(path)
        assert leads_out(path) == f"leads out of the project by a link, to {outside / 'secret'}"
    assert leads_out(Path.cwd() / "results") == ""
    # A folder whose name begins alike is another one.
    (outside.parent / "projects").mkdir()
    assert leads_out(outside.parent / "projects")


def test_disks_that_the_user_names_belong_to_the_project(outside, monkeypatch):
    paths = links(outside) + names(outside)
    monkeypatch.setenv("LOTUS_DISKS", f"/nowhere:{outside}")
    assert [leads_out(path) for path in paths] == [""] * len(paths)
    assert digests(["results/link"])["results/link"].sha256 == sha256(outside / "secret")


def test_the_audit_reads_nothing_outside(outside):
    paths = links(outside) + names(outside)
    stated = {path: digest_of(path) for path in paths}
    write_by_hand(RUN, kind="x", inputs=stated, outputs={"results/link": digest_of("results/link")})
    seen = digests(paths)
    assert [it.sha256 for it in seen.values()] == [""] * len(paths)
    found = audit(read_index(), [])
    told = "\n".join([*found.notes, *(it.reason for it in found.artifacts)])
    assert sha256(outside / "secret")[:12] not in told
    (note,) = (note for note in found.notes if "not read" in note)
    assert note.startswith(f"{names(outside)[0]} and 2 more: named by records, outside the project")
    by_path = {it.path: it for it in found.artifacts}
    assert by_path["results/link"].status == "changed"
    assert "leads out of the project by a link" in by_path["results/link"].reason


@pytest.mark.parametrize("part", ["outputs", "records"])
def test_a_record_of_files_outside_is_none(outside, part):
    for name in names(outside):
        write_by_hand(RUN, kind="x", **{part: {name: digest_of("x")}})
        assert find_record(RUN).problem == f"it states {name}, which lies outside the project"


def test_a_record_behind_a_link_is_not_read(outside):
    write_by_hand(outside / "run.json", kind="x")
    RUN.symlink_to(outside / "run.json")
    Path("results/b").symlink_to(outside)
    assert find_record(RUN).content == {}
    assert "leads out of the project" in find_record(RUN).problem
    assert read_index().records.keys() == {RUN.as_posix()}
    with pytest.raises(LotusError, match=r"leads out of the project by a link, to .* LOTUS_DISKS"):
        seal(Path("results/records/ledger.json"))


def test_lists_and_lineage_read_nothing_outside(outside):
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/a.json").symlink_to(outside / "secret")
    assert listed(Path("data/raw/a.json")) is None
    paths = links(outside)
    write_by_hand(
        RUN, kind="x", inputs={path: digest_of(path) for path in [*paths, *names(outside)]}
    )
    tree = build_tree(read_index(), RUN.as_posix())
    assert {tree.nodes[path].found[path] for path in tree.nodes if path != RUN.as_posix()} == {""}
    for path in paths:
        with pytest.raises(LotusError, match="leads out of the project by a link"):
            find_node(path, read_index())


@pytest.mark.parametrize("folder", ["../outside", "/outside", "~", "results/folder"])
def test_a_description_leads_to_no_run_outside(outside, folder):
    links(outside)
    cell = dict.fromkeys(("dataset", "architecture", "scenario", "study"), "a")
    cell |= {"protocol": "corrected", "measured": "corrected", "items": [], "published": None}
    cell["runs"] = {"1": {"gold": folder}}
    content = {"settings": {"seeds": [1]}, "benchmarks": [cell], "ablations": []}
    Path("results/experiment.json").write_text(
        str(content).replace("'", '"').replace("None", "null")
    )
    with pytest.raises(LotusError, match="lies outside the project"):
        read_experiment(Path("results/experiment.json"))


def test_nothing_outside_is_attested(outside):
    links(outside)
    with pytest.raises(LotusError, match="leads out of the project by a link"):
        attest([], AttestationWish(runs=1, seed=1), lambda arguments: None)
    layout.ATTESTATIONS.mkdir(parents=True)
    (layout.ATTESTATIONS / "a.json").symlink_to(outside / "secret")
    with pytest.raises(LotusError, match=r"a\.json: leads out of the project by a link"):
        verify([], None)


def test_nothing_outside_is_asked_what_rests_on_it(outside):
    links(outside)
    with pytest.raises(LotusError, match="leads out of the project by a link"):
        find_impact("results/link")


def test_files_that_a_file_names(outside):
    for path in (*links(outside), *names(outside)):
        with pytest.raises(
            LotusError, match=r"^an audit: names .*; if a part of your project lies"
        ):
            followed(path, "an audit")
    assert followed("results/a", "an audit") == Path("results/a")


def test_homes_are_not_named(outside, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann b")
    assert relative(Path("/home/ann b/x/y")) == "~/x/y"
    assert relative(Path("/home/ann bc/x")) == "/home/ann bc/x"
    assert relative(Path.cwd() / "x") == "x"
    assert without_home("lotus '/home/ann b/x' --y /home/bob/z") == "lotus '~/x' --y ~/z"
    assert without_home('["/Users/zoe/d"] results/home/x') == '["~/d"] results/home/x'
