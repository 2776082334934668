"""The audit, by damage: whatever is done to a finished run is found and named, and nothing else is."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from forked import lotus, own_lotus
from mending import DIGITS, RUN, TABLE, mended, rerecord, unsound

from lotus import layout
from lotus.records.files import as_text
from lotus.records.seal import sealed

CASES = 20
"""Random cases of each kind of damage."""
AT_ONCE = 20
"""Cases that are damaged together: an audit takes as long for many as for one."""


def in_turn(paths, rng, cases=CASES):
    """Random paths, as many at a time as one audit is to find: none is the record of another, and no two
    have the same record."""
    chosen, taken, together = [], set(), []
    for path in rng.sample(paths, len(paths)):
        own = {path, str(layout.record_of(Path(path)))}
        if own & taken:
            continue
        together.append(path)
        taken |= own
        if len(together) == AT_ONCE:
            chosen.append(together)
            taken, together = set(), []
        if len(chosen) * AT_ONCE >= cases:
            break
    return chosen


def flip(path, rng):
    """One bit, at the same length."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def flip_and_set_the_date_back(path, rng):
    status = path.stat()
    flip(path, rng)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def truncate(path, rng):
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def lengthen(path, _rng):
    path.write_bytes(path.read_bytes() + b"\n")


def delete(path, _rng):
    path.unlink()


def put_a_folder_there(path, _rng):
    path.unlink()
    path.mkdir()


DAMAGES = [
    flip,
    flip_and_set_the_date_back,
    truncate,
    lengthen,
    delete,
    put_a_folder_there,
]


def test_a_finished_run_is_sound(paths):
    assert str(layout.LEDGER) in paths
    assert "data/raw/digits.json" in paths
    assert "results/metrics/digits-resnet18-instance-10-corrected/lotus.json" in paths
    assert len(paths) > 500


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_files_are_named_and_others_are_not(paths, damage):
    rng = random.Random(damage.__name__)
    for damaged in in_turn(paths, rng):
        with mended(*damaged):
            for path in damaged:
                damage(Path(path), rng)
            found = unsound()
            for path in damaged:
                gone = damage is delete
                assert found[path].status == ("missing" if gone else "changed"), (path, found)
            # Beside them only what a record, if that is what was damaged, no longer vouches for.
            others = [other for other in found if other not in damaged]
            assert all(str(layout.record_of(Path(other))) in damaged for other in others), others
    assert not unsound()


def test_files_that_change_places_are_named(paths):
    rng = random.Random(1)
    done = 0
    for damaged in in_turn(paths, rng, 3 * CASES):
        first = {Path(path).read_bytes(): path for path in damaged}
        contents = {path: content for content, path in first.items()}
        damaged = [*contents]
        with mended(*damaged):
            # Each takes the content of the one before it.
            for path, before in zip(damaged, [damaged[-1], *damaged[:-1]], strict=True):
                Path(path).write_bytes(contents[before])
            assert contents.keys() <= unsound().keys()
        done += len(damaged)
    assert done >= 2 * CASES
    assert not unsound()


def exchange(pairs):
    for one, other in pairs:
        for source, target in ((one, "aside"), (other, one), ("aside", other)):
            os.rename(source, target)


def test_runs_that_change_places_with_their_records_are_named(project):
    folders = sorted(project.glob("results/digits/resnet18/seed*/class-three/corrected/*/"))
    rng = random.Random(2)
    for _ in range(2):
        chosen = rng.sample(folders, 10)
        pairs = list(zip(chosen[:5], chosen[5:], strict=True))
        exchange(pairs)
        try:
            named = unsound()
            for folder in chosen:
                record = (folder / "run.json").relative_to(project).as_posix()
                assert "the record of results/digits" in named[record].reason
        finally:
            exchange(pairs)
    assert not unsound()


def test_artifacts_with_a_forged_record_are_named(paths):
    rng = random.Random(3)
    made = [path for path in paths if layout.record_of(Path(path)) is not None]
    for forged in in_turn(made, rng, 2 * CASES):
        records = [layout.record_of(Path(path)) for path in forged]
        with mended(*forged, *records):
            for path in map(Path, forged):
                rerecord(path, lambda artifact: flip(artifact, rng))
            found = unsound()
            assert {found[str(record)].status for record in records} == {"changed"}
    assert not unsound()


def test_a_forged_record_that_pretends_to_be_new_makes_what_follows_stale(paths):
    path = Path("results/digits/resnet18/seed13/instance-10/corrected/lotus/predictions.npz")
    record = layout.record_of(path)
    with mended(path, record):
        rerecord(path, lambda artifact: artifact.write_bytes(artifact.read_bytes() + b"x"))
        content = json.loads(record.read_text())
        content["time"]["started"] = "2999-01-01T00:00:00+00:00"
        record.write_text(as_text(sealed(content)))
        found = unsound()
        metrics = "results/digits/resnet18/seed13/instance-10/corrected/metrics.json"
        assert found[metrics].status == "stale"
        assert f"{path} was made again since" in found[metrics].reason
        assert found[str(layout.LEDGER)].status == "stale"


EDITS = (
    lambda content: content["settings"].update(invented=1),
    lambda content: content["time"].update(total=0.1),
    lambda content: content.update(notes={"invented": 1}),
    lambda content: content["code"].update(commit="0" * 40),
    lambda content: content.update(memory={}),
)


def test_records_edited_by_hand_are_named(paths):
    rng = random.Random(4)
    records = [path for path in paths if layout.is_record(Path(path))]
    chosen = [Path(path) for path in rng.sample(records, 5 * len(EDITS))]
    for seal in (dict, sealed):
        with mended(*chosen):
            for number, path in enumerate(chosen):
                content = json.loads(path.read_text())
                EDITS[number % len(EDITS)](content)
                path.write_text(as_text(seal(content)))
            found = unsound()
            # Nothing vouches for the ledger but its own seal.
            expected = {*chosen} - ({layout.LEDGER} if seal is sealed else set())
            for path in expected:
                assert found[str(path)].status == "changed", path
    assert not unsound()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"format": 2}'])
def test_what_is_no_record_is_named(paths, content):
    places = ("results/digits/store.json", "results/records/ledger.json")
    with mended(*places):
        for path in places:
            Path(path).write_bytes(content)
        found = unsound()
        assert {found[path].status for path in places} == {"changed"}


def test_dates_alone_are_no_alarm(paths):
    rng = random.Random(5)
    for path in rng.sample(paths, 2 * CASES):
        os.utime(path, (rng.random() * 2e9,) * 2)
    assert not unsound()
    for path in paths:
        os.utime(path)
    assert not unsound()


def test_a_copy_at_another_place_is_sound(paths, project, tmp_path, monkeypatch):
    shutil.copytree(project, tmp_path / "else where")
    monkeypatch.chdir(tmp_path / "else where")
    assert not unsound()


def test_strays_are_orphans(paths):
    places = ("results/digits/notes.txt", "results/.hidden", "data/stores/digits/more.npy")
    try:
        for place in places:
            Path(place).write_text("?")
        found = unsound()
        assert {path: it.status for path, it in found.items()} == dict.fromkeys(places, "orphan")
    finally:
        for place in places:
            Path(place).unlink(missing_ok=True)


def test_a_lost_folder_is_missing_whole(paths, tmp_path):
    folder = Path("results/digits/resnet18/seed3407/class-three/corrected/ssd")
    os.rename(folder, tmp_path / "ssd")
    try:
        found = unsound()
        for name in ("model.safetensors", "predictions.npz", "run.json"):
            assert found[f"{folder}/{name}"].status == "missing"
    finally:
        os.rename(tmp_path / "ssd", folder)
    assert not unsound()


def test_changed_code_makes_stale_what_ran_it(project):
    module = Path("lotus/methods/finetune.py")
    with mended(module):
        module.write_text(module.read_text() + "\nADDED = 1\n")
        done = own_lotus(project, "audit", "--json", check=False)
        assert done.returncode == 1
        found = json.loads(done.stdout)
        stale = [it for it in found["artifacts"] if it["status"] != "verified"]
        assert {it["status"] for it in stale} == {"stale"}
        assert all("code: lotus.methods.finetune changed since" in it["reason"] for it in stale)
        assert len([it for it in stale if "/finetune/" in it["path"]]) == 2 * 8
        assert len(stale) == 2 * 8


def test_a_changed_configuration_says_what_it_changed(project):
    config = Path(DIGITS)
    with mended(config):
        text = config.read_text()
        config.write_text(text.replace("lotus: {alpha: 2,", "lotus: {alpha: 3,", 1))
        stale = unsound()
        models = [path for path in stale if path.endswith("model.safetensors")]
        assert sorted({Path(path).parent.name for path in models}) == ["lotus"]
        assert "parameters: hyperparameters.alpha was 2" in stale[models[0]].reason
        config.write_text(text + "\n# a remark\n")
        assert not unsound()


def test_a_configuration_with_a_seed_more_wants_more(project):
    config = Path(DIGITS)
    with mended(config):
        config.write_text(config.read_text().replace("seeds: [3407, 13]", "seeds: [3407, 13, 7]"))
        found = unsound()
        new = "results/digits/resnet18/seed7/original/corrected/model.safetensors"
        assert found[new].status == "missing"
        table = found["results/tables/digits-resnet18-instance-10-corrected.csv"]
        assert table.status == "stale"
        assert "made without results/digits/resnet18/seed7/instance-10" in table.reason


def test_the_command_lists_the_gravest_first_and_fails(project):
    model = Path(RUN).with_name("model.safetensors")
    with mended(model, TABLE):
        Path(TABLE).unlink()
        model.write_bytes(b"")
        done = lotus(project, "audit", check=False)
    first, second, note, held_against, last = done.stdout.splitlines()
    assert note.startswith("note      no record of tuning")
    assert first.startswith(f"changed   {model}: its sha256 is e3b0c44298fc")
    assert second.startswith(f"missing   {TABLE}: results/")
    assert second.endswith(" states it")
    assert held_against == f"Held against {DIGITS}, by which the results were made."
    assert "1 missing, 1 changed; not sound" in last
    assert done.returncode == 1
    assert lotus(project, "audit").returncode == 0
