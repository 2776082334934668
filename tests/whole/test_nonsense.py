"""Files that hold nonsense are read or refused in one line, whatever reads them."""

import contextlib
import json
import os
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nonsense import (
    NONSENSE,
    QUICKLY,
    READERS,
    TEXTS,
    audited,
    copy_of,
    evaluated,
    files_of,
    read_all,
    redrawn,
    refused_or_not,
)
from tiny import FORGET_SET, HELD_OUT, ROWS

from lotus.audit.audit import audit
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json
from lotus.plan.step import ExpectedRecord
from lotus.publish.restore import plan_restore
from lotus.records.files import as_text, sha256
from lotus.records.index import read_index
from lotus.records.reading import read_record
from lotus.records.seal import identity, sealed

pytestmark = pytest.mark.usefixtures("no_repository")


def test_the_project_is_sound(template):
    with chdir(template):
        assert audit(read_index(), []).ok
        for reader in READERS[1:]:
            if reader is not redrawn:
                reader(template)


@QUICKLY(max_examples=20)
@given(data=st.data())
def test_bytes_that_change(template, data):
    name = data.draw(st.sampled_from(files_of(template)))
    with copy_of(template):
        path = Path(name)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(content)))
            end = data.draw(st.integers(at, min(len(content), at + 20)))
            content[at:end] = data.draw(st.binary(max_size=5))
        path.write_bytes(content)
        read_all(template)


@QUICKLY(max_examples=20)
@given(data=st.data())
def test_files_that_are_something_else(template, data):
    name = data.draw(st.sampled_from(files_of(template)))
    with copy_of(template):
        path = Path(name)
        kind = data.draw(
            st.sampled_from(["text", "pipe", "folder", "loop", "lost", "gone", "swap"])
        )
        other = Path(data.draw(st.sampled_from(files_of(template))))
        content = other.read_bytes()
        path.unlink()
        if kind == "text":
            path.write_bytes(data.draw(st.sampled_from(TEXTS)))
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "loop":
            path.symlink_to(path.name)
        elif kind == "lost":
            path.symlink_to("nowhere")
        elif kind == "swap":
            path.write_bytes(content)
        read_all(template)


def record_anew():
    """Writes digests and identities into all records until they agree, as far as they are records."""
    for _ in range(5):
        for path in Path("results").rglob("*.json"):
            content = json.loads(path.read_text())
            if not isinstance(content, dict) or "digest" not in content:
                continue
            for side in ("inputs", "outputs"):
                if isinstance(content.get(side), dict):
                    there = {n: sha256(Path(n)) for n in content[side] if os.path.isfile(n)}
                    content[side] |= there
            chain = content.get("records")
            for name in chain if isinstance(chain, dict) else ():
                with contextlib.suppress(KeyError, TypeError, OSError, ValueError):
                    content["records"][name] = identity(json.loads(Path(name).read_text()))
            path.write_text(as_text(sealed(content)))


def places(value, above=()):
    """Ways to all values of JSON."""
    yield above
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    )
    for key, part in list(inner)[:20]:
        yield from places(part, (*above, key))


def replaced(value, way, new, rename):
    """The value with another one at a place, or under another key."""
    if not way:
        return new
    key, *rest = way
    if isinstance(value, dict):
        if rename and not rest:
            return {str(new) if k == key else k: v for k, v in value.items()}
        return {k: replaced(v, rest, new, rename) if k == key else v for k, v in value.items()}
    return [replaced(v, rest, new, rename) if k == key else v for k, v in enumerate(value)]


@QUICKLY(max_examples=50)
@given(data=st.data())
def test_values_that_change(template, data):
    """Of records with a digest of their own again, as somebody could write it who knows how."""
    names = [name for name in files_of(template) if name.endswith(".json")]
    name = data.draw(st.sampled_from(names))
    with copy_of(template):
        content = json.loads(Path(name).read_text())
        for _ in range(data.draw(st.integers(1, 2))):
            way = data.draw(st.sampled_from(list(places(content))))
            new = data.draw(st.sampled_from(NONSENSE))
            content = replaced(content, way, new, data.draw(st.booleans()))
        if isinstance(content, dict) and "digest" in content:
            content = sealed(content)
        Path(name).write_text(as_text(content))
        if data.draw(st.booleans()):
            record_anew()
        read_all(template)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_what_python_reads_without_a_word_is_refused(template, text):
    name = "results/records/tables/summary.table.json"
    with copy_of(template):
        Path(name).write_bytes(text)
        found = {it.path: it for it in audit(read_index(), []).artifacts}
        assert found[name].status == "changed"
        with refused_or_not():
            read_record(Path(name))
        read_all(template)


@QUICKLY(max_examples=100)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
@example({"a": 1e308, "b": [2e-308, 10**300]})
def test_what_is_written_is_read_as_it_was(value):
    text = as_text(value).encode()
    if b"\\ud" in text.lower():
        return
    assert parse_json(text) == value


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "caf\udce9", "tab\there", "a" * 250])
def test_names_of_strays_are_shown_whole(template, name):
    with copy_of(template):
        Path("results/tables", name).touch()
        found = audit(read_index(), [])
        assert [it.path for it in found.artifacts if it.status == "orphan"] == [
            f"results/tables/{name}"
        ]
        read_all(template)


def test_a_results_folder_that_is_none(template):
    with copy_of(template):
        shutil.rmtree("results")
        Path("results").touch()
        read_all(template)
        Path("results").unlink()
        Path("results").symlink_to("results")
        read_all(template)


@pytest.mark.parametrize("name", [HELD_OUT, FORGET_SET])
def test_splits_that_are_none(template, name):
    """Sealed and consistent in their digests, so that they are looked into."""
    place = Path(name.replace("results/", "results/records/"))
    with copy_of(template):
        for value in (it for it in NONSENSE if it != []):
            content = json.loads((template / name).read_text())
            content["forget" if "forget" in content else "val"] = value
            Path(name).write_text(json.dumps(content))
            record = json.loads((template / place).read_text())
            record["outputs"] = {name: sha256(Path(name))}
            place.write_text(as_text(sealed(record)))
            found = {it.path: it for it in audit(read_index(), []).artifacts}
            assert found[name].status == "changed", value
            assert "not a split" in found[name].reason


@QUICKLY(max_examples=20)
@given(data=st.data())
def test_predictions_that_change(template, data):
    with copy_of(template):
        path = Path(data.draw(st.sampled_from([*ROWS.values()])), "predictions.npz")
        content = bytearray(path.read_bytes())
        # The heads of the arrays and of the archive, where damage does most.
        at = data.draw(st.integers(0, 300) | st.integers(len(content) - 1500, len(content)))
        content[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
        path.write_bytes(content)
        if data.draw(st.booleans()):
            record_anew()
        read_all(template, [audited, evaluated])


def npy(folder):
    np.save(Path(folder, "x.npy"), np.arange(3))
    return Path(folder, "x.npy").read_bytes()


def objects(folder):
    np.savez(Path(folder, "x.npz"), **{"train.logits": np.array([{}], dtype=object)})
    return Path(folder, "x.npz").read_bytes()


@pytest.mark.parametrize("make", [npy, objects, lambda _: b"", lambda _: b"PK\x03\x04"])
def test_archives_that_hold_something_else(template, tmp_path, make):
    with copy_of(template):
        path = Path(ROWS["gold"], "predictions.npz")
        path.write_bytes(make(tmp_path))
        with pytest.raises(LotusError, match=f"{path}: .*predictions"):
            evaluated(template)
        record_anew()
        found = {it.path: it for it in audit(read_index(), []).artifacts}
        assert "not a file of predictions" in found[path.as_posix()].reason


def test_records_that_were_made_of_each_other(template):
    with copy_of(template):
        index = read_index()
        wanted = [
            ExpectedRecord("results/records/a.json", (), ("results/records/b.json",)),
            ExpectedRecord("results/records/b.json", (), ("results/records/a.json",)),
        ]
        with pytest.raises(LotusError, match=r"a\.json.*made of each other"):
            plan_restore(index, [], wanted)
