"""Everything that reads a project, called on damaged copies of a small one."""

import contextlib
import json
import shutil
import tempfile
from contextlib import chdir
from functools import partial
from pathlib import Path

from hypothesis import Phase, settings
from tiny import CELL, ROWS, TABLE

from lotus.audit import to_text
from lotus.audit.audit import audit
from lotus.crate.export import export_crate
from lotus.diff import to_json
from lotus.diff import to_text as compare_text
from lotus.diff.compare import compare
from lotus.diff.loading import open_side
from lotus.errors import LotusError
from lotus.lineage import lookup
from lotus.lineage import to_json as tree_json
from lotus.lineage import to_text as tree_text
from lotus.plan.step import ExpectedRecord
from lotus.publish import replay
from lotus.publish.restore import plan_restore
from lotus.records.index import read_index
from lotus.records.ledger import seal
from lotus.runs.evaluation import evaluate_runs

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
    wanted = [
        ExpectedRecord(record.path, tuple(record.outputs)) for record in index.records.values()
    ]
    printable("\n".join(plan_restore(index, audit(index, wanted).artifacts, wanted).lines()))


def traced(_):
    for asked in (TABLE, f"{TABLE}:lotus:avg_gap", "results/records/ledger.json", CELL + "/lotus"):
        with refused_or_not():
            found = lookup.look_up(asked)
            lines = (*found.value_lines(), *tree_text.lines(found.tree))
            printable("\n".join(lines))
            json.loads(json.dumps(tree_json.as_json(found.tree, found.values)))


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
