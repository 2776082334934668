"""Whatever is in the files of a project: each reader gives a result, or one message; never a traceback."""

import contextlib
import json
import os
import shutil
import tempfile
from contextlib import chdir
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from tiny import CELL, FORGET_SET, HELD_OUT, METRICS, ROWS, TABLE, write_project

from lotus.audit import to_text
from lotus.audit.audit import audit
from lotus.cli.main import main
from lotus.crate.export import export_crate
from lotus.crate.project import configuration_files
from lotus.diff import to_json
from lotus.diff import to_text as compare_text
from lotus.diff.compare import compare
from lotus.diff.loading import open_side
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json
from lotus.lineage import lookup, recorded_facts
from lotus.lineage import to_text as tree_text
from lotus.plan.step import Step
from lotus.publish import replay
from lotus.publish.restore import standing
from lotus.records.files import as_text, sha256
from lotus.records.index import read_index
from lotus.records.ledger import seal
from lotus.records.reading import read_record
from lotus.records.seal import identity, sealed
from lotus.runs.evaluation import evaluate_runs, rows_of

NONSENSE = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    10**200,
    "",
    "x",
    ".",
    "..",
    "/",
    "/dev/zero",
    "../../etc/passwd",
    "results",
    "a" * 300,
    "\x1b[2J",
    "\0",
    "a\nb",
    "é",
    "猫" * 100,
    "NaN",
    [],
    {},
    [None],
    {"": {}},
    [[[]]],
    {"a": {"b": [1, {"c": None}]}},
]
TEXTS = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[",
    b"[" * 100_000,
    b"{" * 100_000,
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": ' + b"9" * 400 + b"}",
    b'{"a": 1, "a": 2}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b"[" * 61 + b"]" * 61,
    b"\0" * 100,
]


QUICKLY = partial(
    settings, deadline=None, phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False
)
"""Cases are slow: none is made smaller."""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template") / "project"
    folder.mkdir()
    with chdir(folder):
        write_project()
    return folder


@pytest.fixture(autouse=True)
def no_repository(monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", tempfile.gettempdir())


@contextlib.contextmanager
def copy_of(template):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(template, f"{folder}/project", symlinks=True)
        with chdir(f"{folder}/project"):
            yield


def files_of(template):
    return sorted(p.relative_to(template).as_posix() for p in template.rglob("*") if p.is_file())


def printable(text):
    assert all(line.isprintable() for line in text.split("\n")), repr(text)
    text.encode()


def audited(_):
    found = audit(read_index(), [])
    printable(to_text.as_text(found))
    json.loads(to_text.as_json(found))


def restored(_):
    index = read_index()
    wanted = [Step(record.path, tuple(record.outputs)) for record in index.records.values()]
    printable("\n".join(standing(index, audit(index, wanted).artifacts, wanted).lines()))


def traced(_):
    for asked in (TABLE, f"{TABLE}:lotus:avg_gap", "results/records/ledger.json", CELL + "/lotus"):
        with refused_or_not():
            found = lookup.look_up(asked)
            lines = (*found.value_lines(), *tree_text.lines(found.tree))
            printable("\n".join(lines))
            json.loads(json.dumps(recorded_facts.as_json(found.tree, found.values)))


def compared(template):
    found = compare(open_side(str(template)), open_side("."), times=True)
    printable("\n".join(compare_text.lines(found, 100)))
    json.loads(json.dumps(to_json.as_json(found), allow_nan=False))


def exported(_):
    out = Path("../crate.zip")
    try:
        export_crate(out, 1000)
    except LotusError:
        assert not out.exists()
        raise
    finally:
        assert [path.name for path in Path("..").iterdir()] in (["project"], *_TWO)
        out.unlink(missing_ok=True)


_TWO = (["crate.zip", "project"], ["project", "crate.zip"])


def redrawn(_):
    replay._records()


def sealed_anew(_):
    seal(Path("results/records/ledger.json"))


def evaluated(_):
    files = {row: Path(folder, "predictions.npz") for row, folder in ROWS.items()}
    out = Path("../metrics.json")
    try:
        evaluate_runs(files, 1, {}, out, Path("../record.json"))
    except LotusError:
        assert not out.exists()
        raise
    finally:
        out.unlink(missing_ok=True)
        Path("../record.json").unlink(missing_ok=True)


READERS = [
    audited,
    restored,
    traced,
    compared,
    exported,
    redrawn,
    sealed_anew,
]


@contextlib.contextmanager
def refused_or_not():
    """A result, or one message that can be printed."""
    said = "nothing"
    try:
        yield
    except LotusError as error:
        said = str(error)
    assert said
    printable(said)


def read_all(template, readers=READERS):
    for reader in readers:
        with refused_or_not():
            reader(template)


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
            content[next(iter(content))] = value
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
        assert "not predictions" in found[path.as_posix()].reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {"dataset": 3}}, "--labels: dataset: 3; accepted: texts under dataset"),
        ({"labels": {"rows": "x"}}, "--labels: rows"),
        ({"out": Path("Snakefile/x.json")}, "Snakefile: cannot be written"),
        ({"record": Path("../m.json")}, "--record: ../m.json is the output itself"),
        ({"out": Path(ROWS["gold"], "predictions.npz")}, "is the predictions of gold"),
        ({"files": {"original": Path("x"), "gold": Path("y")}}, "x: no file"),
        ({"files": {"gold": Path("y")}}, "predictions of original"),
    ],
)
def test_what_evaluate_is_asked_in_error(template, change, said):
    files = {row: Path(folder, "predictions.npz") for row, folder in ROWS.items()}
    asked = {"files": files, "labels": {}, "out": Path("../m.json"), "record": Path("../r.json")}
    with copy_of(template):
        before = files_of(Path())
        with pytest.raises(LotusError, match=said):
            evaluate_runs(seed=1, **{**asked, **change})
        assert files_of(Path()) == before
        assert not Path("../m.json").exists()


def test_a_row_is_given_once():
    pair = ("gold", Path("x"))
    assert rows_of([pair]) == {"gold": Path("x")}
    with pytest.raises(LotusError, match="row 'gold' is given twice"):
        rows_of([pair, pair])


def test_two_files_of_one_benchmark_are_not_compared(template):
    with copy_of(template):
        other = METRICS.replace("seed3", "seed4")
        Path(other).parent.mkdir(parents=True)
        shutil.copy(METRICS, other)
        with pytest.raises(LotusError, match="both state that they are of toy-net-instance-10"):
            open_side(".")


def test_records_that_were_made_of_each_other(template):
    with copy_of(template):
        index = read_index()
        wanted = [
            Step("results/records/a.json", (), ("results/records/b.json",)),
            Step("results/records/b.json", (), ("results/records/a.json",)),
        ]
        with pytest.raises(LotusError, match=r"a\.json.*made of each other"):
            standing(index, [], wanted)


LONG, ESCAPE = "a" * 5000, "\x1b[31m"
ARGUMENTS = [
    *(["lineage", name] for name in (LONG, ESCAPE, "\0", "caf\udce9", "", "..", "/", ":", "::=")),
    *(
        ["lineage", f"{TABLE}:{cell}"]
        for cell in ("x:n", "lotus:x", "lotus:n:x=1", ESCAPE, "a:b:c")
    ),
    *(["lineage", TABLE, "--picture", name] for name in ("x.txt", "Snakefile/x.svg", "")),
    *(["diff", name] for name in (LONG, ESCAPE, "\0", "caf\udce9", "HEAD", "Snakefile")),
    *(["export-crate", "--out", name] for name in (LONG, "", "Snakefile/x", "results/x")),
    *(["seal", "--out", name] for name in (LONG, "", "Snakefile/x")),
    *([command, "--configfile", "lost"] for command in ("audit", "restore")),
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments_that_mean_nothing(template, arguments):
    with copy_of(template):
        done = CliRunner().invoke(main, arguments)
        assert isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in (1, 2)
        assert done.stdout == ""
        assert "Error: " in done.stderr
        if arguments[0] in ("lineage", "diff"):
            printable(done.stderr.partition("Error: ")[2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a CSV table: it is empty"),
        ("a,a\n1,2\n", "a column stands twice"),
        ("row,n\nlotus\n", "line 2: 1 cells for 2 columns"),
        ('row,n\n"lotus,1\n', "not a CSV table"),
        ("row,n\nx,1\n", "no row 'lotus'"),
    ],
)
def test_tables_that_are_none(template, text, said):
    with copy_of(template):
        Path(TABLE).write_text(text)
        with pytest.raises(LotusError, match=said):
            lookup.look_up(f"{TABLE}:lotus:n")


def test_what_a_crate_is_not_made_of(template):
    with copy_of(template):
        for text in ("title: [1]", "authors: 5", "authors: [5]", "authors: [{x: y}]", "title: ''"):
            lines = Path(template, "CITATION.cff").read_text().splitlines()
            key = text.partition(":")[0]
            kept = [line for line in lines if not line.startswith(f"{key}:")]
            Path("CITATION.cff").write_text("\n".join([*kept, text]))
            with pytest.raises(LotusError, match=f"CITATION.cff: .*{key}"):
                exported(template)
    assert configuration_files(["../secret", "/etc/hostname", "a\0b"]) == []
