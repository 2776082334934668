"""Results and reference files: whatever has become of them, a result or one line that says why not."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from named_results import write
from project import ROOT

from lotus.claims.behaviours_in_print import signs
from lotus.claims.stated import load_claims
from lotus.errors import LotusError
from lotus.figures.avg_gap import avg_gap
from lotus.figures.rf_jsd import rf_jsd
from lotus.published.numbers import MISPRINTS, RESULTS, load_misprints, load_published
from lotus.results.ablation import ablate
from lotus.results.experiment import read_experiment
from lotus.results.metrics import load_metrics
from lotus.results.run_records import load_costs, load_courses
from lotus.tables.effects import effects
from lotus.tables.per_seed import per_seed
from lotus.tables.summary import summary

PUBLISHED = ROOT / "report" / "published"
CELLS = st.one_of(
    st.sampled_from(
        ["", "nan", "inf", "-1", "1e999", "0.5", "1_0", "١", " ", "a,b", '"', "\n", "lotus", "E9"]
    ),
    st.text(max_size=5),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 2**70),
        st.floats(allow_nan=True),
        st.text(max_size=5),
    ),
    lambda of: st.one_of(
        st.lists(of, max_size=3), st.dictionaries(st.text(max_size=5), of, max_size=3)
    ),
    max_leaves=4,
)
few = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tried(path, read):
    """Reads; an error that is not one line, or does not name the file if one is given, fails."""
    try:
        return read()
    except LotusError as error:
        said = str(error)
        assert "\n" not in said.strip()
        assert path is None or str(path) in said
        return None


@st.composite
def damaged_table(draw, text):
    """A CSV file with a cell, a line or a byte changed."""
    lines = list(csv.reader(io.StringIO(text)))
    how = draw(st.sampled_from(["cell", "line", "column", "cut", "bytes"]))
    line = draw(st.integers(0, len(lines) - 1))
    if how == "cell":
        column = draw(st.integers(0, len(lines[line]) - 1))
        lines[line][column] = draw(CELLS)
    elif how == "line":
        lines[line : line + 1] = draw(
            st.sampled_from([[], [lines[line]] * 2, [lines[line][:2]], [[*lines[line], "more"]]])
        )
    elif how == "column":
        column = draw(st.integers(0, len(lines[0]) - 1))
        lines = [[*of[:column], *of[column + 1 :]] for of in lines]
    elif how == "cut":
        lines = lines[:line]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    content = out.getvalue().encode("utf-8", "surrogatepass")
    if how == "bytes":
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.binary(min_size=1, max_size=3)) + content[place:]
    return content


def spots(value, here=()):
    """Paths of all parts of a value."""
    yield here
    for key in (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    ):
        yield from spots(value[key], (*here, key))


@st.composite
def damaged(draw, value):
    """A value with one part changed, dropped or added to."""
    value = json.loads(json.dumps(value))
    path = draw(st.sampled_from(list(spots(value))))
    if not path:
        return draw(VALUES)
    part = value
    for key in path[:-1]:
        part = part[key]
    how = draw(st.sampled_from(["change", "drop", "add"]))
    if how == "change":
        part[path[-1]] = draw(VALUES)
    elif how == "drop":
        del part[path[-1]]
    elif isinstance(part, dict):
        part[draw(st.text(max_size=5))] = draw(VALUES)
    else:
        part.append(draw(VALUES))
    return value


def head_of(name, lines):
    rows = list(csv.reader(io.StringIO((PUBLISHED / name).read_text())))[:lines]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


@few
@given(damaged_table(head_of(RESULTS, 60)))
def test_published_numbers(tmp_path, content):
    (tmp_path / RESULTS).write_bytes(content)
    found = tried(tmp_path / RESULTS, lambda: load_published(tmp_path))
    if found is not None:
        assert found["mean"].notna().all()
        assert all(isinstance(text, str) for text in found["note"])
        tried(None, lambda: signs(found))


@few
@given(damaged_table((PUBLISHED / MISPRINTS).read_text()))
def test_misprints(tmp_path, content):
    (tmp_path / MISPRINTS).write_bytes(content)
    found = tried(tmp_path / MISPRINTS, lambda: load_misprints(tmp_path))
    if found is not None:
        assert all(isinstance(text, str) for text in found.to_numpy().ravel())


CLAIMS = yaml.safe_load((ROOT / "report" / "claims.yaml").read_text())


@few
@given(damaged(CLAIMS[:12]))
def test_claims(tmp_path, content):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), errors="surrogatepass")
    for claim in tried(path, lambda: load_claims(path)) or ():
        assert claim.words()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Metrics files and run records."""
    return write(tmp_path_factory.mktemp("made"), "mine", ("corrected", "corrected+m1"))


@few
@given(st.data())
def test_metrics(made, tmp_path, data):
    metrics, _ = made
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(data.draw(damaged(json.loads(metrics[0].read_text())))))
    if tried(path, lambda: load_metrics([path])) is not None:
        for draw in (summary, per_seed, ablate, avg_gap, rf_jsd):
            tried(None, lambda draw=draw: draw([path, *metrics[1:]]))


@few
@given(st.data())
def test_records_of_runs(made, tmp_path, data):
    _, records = made
    path = tmp_path / "run.json"
    path.write_text(json.dumps(data.draw(damaged(json.loads(records[0].read_text())))))
    for read in (load_costs, load_courses):
        tried(path, lambda read=read: read([path]))


CELL = {
    **{"dataset": "d", "architecture": "a", "scenario": "s", "study": "", "protocol": "corrected"},
    **{"measured": "corrected", "items": ["table1"], "published": None},
    **{
        "runs": {"1": {"gold": "f"}},
        "methods": {"lotus": {"method": "lotus", "calibration": None}},
    },
}
MADE = {"folder": "figures", "name": "n", "kind": "avg-gap", "about": {"dataset": "d"}}
DESCRIBED = {
    "settings": {
        **{"title": "t", "seeds": [1], "datasets": {}, "architectures": {"a": {}}, "tuning": None},
    },
    **{"benchmarks": [CELL], "ablations": [{**CELL, "protocol": "corrected+m1"}]},
    **{"tables": [MADE], "figures": [MADE]},
}


@few
@given(damaged(DESCRIBED))
def test_what_describe_wrote(tmp_path, content):
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(content))
    read = tried(path, lambda: read_experiment(path, for_page=True))
    if read is not None:
        assert read.seeds
        tried(None, lambda: (read.figures, read.audited, read.studies, read.calibrations))
        tried(None, lambda: (read.ablated, read.results_of(read.labelled("table1"))))


@pytest.fixture(scope="module")
def effects_table(made):
    return ablate(made[0]).to_csv(index=False)


@few
@given(st.data())
def test_table_of_effects(effects_table, tmp_path, data):
    path = tmp_path / "ablation.csv"
    path.write_bytes(data.draw(damaged_table(effects_table)))
    tried(path, lambda: effects(path))


def test_the_table_of_effects_is_as_it_was_read(effects_table, tmp_path):
    path = tmp_path / "ablation.csv"
    path.write_text(effects_table)
    assert len(effects(path)) > 5
    frame = pd.read_csv(path).assign(n="many")
    frame.to_csv(path, index=False)
    with pytest.raises(LotusError, match="line 2: n = 'many'; accepted: a whole number"):
        effects(path)
    frame.assign(n=2, switch="E9").to_csv(path, index=False)
    with pytest.raises(LotusError, match="line 2: switch 'E9' is unknown"):
        effects(path)
    assert Path(path).is_file()
