"""Metrics are found by being there, and each says of itself what others have to know."""

import subprocess
import sys

import numpy as np
import pytest

from lotus import metrics
from lotus.config.protocol import of_stage
from lotus.errors import LotusError
from lotus.metrics.base import MetricSpec, registry, scoring
from lotus.predictions.predictions_file import Split
from lotus.records.code_identity import module_digests
from lotus.results.metrics import measured_against, needs_gold

HEAD = "from lotus.metrics.base import Case, MetricSpec, measures\n"
GOOD = f"""{HEAD}
@measures(MetricSpec(name="mine", label="Mine", limits=(0, 1)%s))
def mine(case: Case) -> float:
    return %s
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """(name, text) → a file that is found as those of `lotus/metrics` are."""
    caches = (
        registry.families,
        registry.columns,
        registry.specs,
        registry.labels,
        registry.metric_of,
    )

    def clear():
        for cache in caches:
            cache.cache_clear()

    written = []

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        written.append(f"lotus.metrics.{name}")
        clear()

    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    yield make
    clear()
    for name in written:
        sys.modules.pop(name, None)
        vars(metrics).pop(name.rpartition(".")[2], None)


def test_columns_and_their_order_are_those_of_published_results():
    assert registry.columns() == (
        *("accuracy_forget", "accuracy_retain", "accuracy_val", "accuracy_test"),
        *("mia", "mia_auc", "mia_balanced_accuracy", "mia_tpr_at_1_fpr"),
        *("mia_released_e6", "mia_released_e5_e6"),
        *("jsd", "jsd_released_e4", "rf_jsd", "rf_jsd_released_e4"),
        *("avg_gap", "avg_gap_released_e6", "ks_forget_test", "ks_forget_above_test"),
    )
    assert list(registry.labels().items()) == [
        ("avg_gap", "Avg Gap"),
        ("jsd", "JSD"),
        ("rf_jsd", "RF-JSD"),
        ("accuracy_forget", "Forget acc."),
        ("accuracy_retain", "Retain acc."),
        ("accuracy_val", "Val acc."),
        ("accuracy_test", "Test acc."),
        ("mia", "MIA acc."),
        ("mia_auc", "MIA AUC"),
    ]
    assert list(registry.specs())[9:] == [
        *("mia_balanced_accuracy", "mia_tpr_at_1_fpr", "ks_forget_test", "ks_forget_above_test"),
    ]


@pytest.mark.parametrize(
    ("column", "metric"),
    [
        ("jsd", "jsd"),
        ("jsd_std", "jsd"),
        ("jsd_released_e3_e4", "jsd"),
        ("avg_gap_change_std", "avg_gap"),
        ("mia_auc", "mia_auc"),
        ("mia_released_e6", "mia"),
        ("rf_jsd_released_e4_std", "rf_jsd"),
        ("accuracy", None),
        ("seconds", None),
        ("n", None),
    ],
)
def test_a_column_is_of_a_metric(column, metric):
    found = registry.metric_of(column)
    assert (found.name if found else None) == metric


def test_what_a_metric_needs():
    of_gold = {name for name in registry.columns() if needs_gold(name)}
    assert of_gold == {"jsd", "jsd_released_e4", "avg_gap", "avg_gap_released_e6"}
    assert measured_against("rf_jsd_released_e3_e4") == ["original"]
    assert measured_against("same_as_original") == ["original"]
    assert measured_against("mia") == []


def test_switches_of_metrics_are_those_of_the_register():
    named = {s for spec in registry.specs().values() for s in spec.released.switches}
    assert named == of_stage("metrics")


def test_a_metric_needs_no_torch_and_no_pandas():
    code = (
        "import sys; from lotus.metrics.base import registry; registry.families(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'scipy', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_code_of_an_evaluation_has_all_metrics_and_that_of_a_tuning_has_not():
    evaluated, tuned = (
        module_digests("lotus.runs.evaluation"),
        module_digests("lotus.runs.objective"),
    )
    assert {"lotus.metrics.avg_gap", "lotus.metrics.streisand"} <= {*evaluated}
    assert "lotus.metrics.accuracy" in tuned
    assert not {"lotus.metrics.avg_gap", "lotus.metrics.base.registry"} & {*tuned}


def test_a_new_file_is_found_and_stands_last(write):
    before = registry.columns()
    write("new", GOOD % ("", 0.5))
    assert registry.columns() == (*before, "mine")
    assert list(registry.specs())[-1] == "mine"
    assert registry.labels()["mine"] == "Mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("mine", "jsd") % ("", 1),
            "metric 'jsd': lotus/metrics/jsd.py already has one of this name",
        ),
        (f"{HEAD}SPEC = MetricSpec(name='mine', label='Mine')\n", "metric 'mine' has no function"),
        (HEAD, "states no metric"),
        (f"{HEAD}@measures()\ndef mine(case): return 1\n", "@measures() was given no MetricSpec"),
        (
            GOOD.replace('"mine"', '"My metric"') % ("", 1),
            "metric 'My metric': a column's name consists of",
        ),
        (GOOD.replace('"mine"', '"row"') % ("", 1), "metric 'row': tables already have a column"),
        (GOOD.replace('"mine"', '"jsd_std"') % ("", 1), "metric 'jsd_std': names with '_std'"),
        (GOOD.replace('"Mine"', '""') % ("", 1), "metric 'mine': needs a label"),
        (GOOD % (", best='most'", 1), "metric 'mine': best = 'most'; accepted: lowest"),
        (GOOD % (", needs='gold'", 1), "metric 'mine': needs = 'gold'; accepted: a tuple"),
        (
            GOOD % (", claimed='more'", 1),
            "metric 'mine': claimed = 'more'; accepted: lower, higher",
        ),
        (GOOD % (", colour=1", 1), "cannot be imported: TypeError"),
        ("import nothing_like_this\n", "cannot be imported: ModuleNotFoundError"),
        ("def", "cannot be imported: SyntaxError"),
        (
            f"{HEAD}@measures(MetricSpec(name='one', label='1', needs=('gold',)), "
            "MetricSpec(name='two', label='2'))\ndef both(case): return {}\n",
            "metrics of one function must all need gold or all do without it",
        ),
    ],
)
def test_a_bad_file_is_one_error_that_names_it(write, text, said):
    write("new", text)
    with pytest.raises(LotusError) as caught:
        registry.families()
    assert str(caught.value).startswith("lotus/metrics/new.py: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def predictions(shift=0.0, whole_class=False):
    """Splits of six images of three classes; of a forgotten class all images are of class 2."""
    labels = np.arange(6) % 2 if whole_class else np.arange(6) % 3
    logits = np.eye(3, dtype=np.float32)[labels] + np.float32(shift) * np.arange(
        3, dtype=np.float32
    )
    said = {
        name: Split(logits, labels, np.arange(6)) for name in ("forget", "retain", "val", "test")
    }
    if whole_class:
        said["forget"] = Split(logits, np.full(6, 2), np.arange(6))
    return said


def original(whole_class=False):
    said = predictions(whole_class=whole_class)
    forget, retain = said["forget"], said["retain"]
    train = Split(
        np.concatenate([forget.logits, retain.logits]),
        np.concatenate([forget.labels, retain.labels]),
        np.arange(12),
    )
    return {"train": train, "val": said["val"], "test": said["test"]}


def scored(whole_class=False):
    gold = predictions(whole_class=whole_class)
    for said in (gold, other := predictions(0.3, whole_class)):
        said["retain"] = Split(said["retain"].logits, said["retain"].labels, np.arange(6, 12))
    return scoring.score_all(original(whole_class), gold, {"lotus": other}, 0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1.5", "1.5 is not within its limits, 0 … 1"),
        ("float('inf')", "is infinite"),
        ("'much'", "'much' is not a number"),
        ("True", "True is not a number"),
        (
            "{'other': 1.0}",
            "metric 'other' of original: no MetricSpec describes it; described are: mine",
        ),
    ],
)
def test_a_value_that_is_none_of_the_metric_is_refused(write, value, said):
    write("new", GOOD % ("", value))
    with pytest.raises(LotusError) as caught:
        scored()
    assert str(caught.value).startswith("lotus/metrics/new.py: metric ")
    assert said in str(caught.value)


@pytest.mark.parametrize("value", ["None", "float('nan')", "{}"])
def test_an_undefined_value_is_null(write, value):
    write("new", GOOD % ("", value))
    assert scored()["lotus"]["mine"] is None


def test_a_function_sees_what_its_metric_says_it_needs(write):
    seen = "float(10 * len(case.gold) + 100 * len(case.original) + bool(case.gold_scores)) / 1000"
    for needs, value in (
        ("", 0),
        (", needs=('gold',)", 0.041),
        (", needs=('original',)", 0.4),
        (", needs=('gold', 'original')", 0.441),
    ):
        write("new", GOOD % (needs, seen))
        sys.modules.pop("lotus.metrics.new", None)
        found = scored()
        assert found["lotus"]["mine"] == pytest.approx(value)
        assert (found["gold"]["mine"] is None) == ("gold" in needs)


def test_a_metric_of_instances_is_not_asked_where_a_whole_class_is_forgotten(write):
    write("new", GOOD % (", needs=('instances',)", "1 / int(not case.class_forgetting)"))
    assert scored()["lotus"]["mine"] == 1
    assert scored(whole_class=True)["lotus"]["mine"] is None


def test_the_name_of_a_form_is_not_taken_by_another_metric():
    with pytest.raises(LotusError, match="'_released' for the published conventions"):
        MetricSpec(name="mia_released_e6", label="taken")
