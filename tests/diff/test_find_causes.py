"""What moved, and which recorded change can explain it."""

import json

import pytest
from small_experiment import METRICS, ROWS, SEEDS, compared, edit, moved

from lotus.diff import to_text as compare_text
from lotus.records.files import write_json
from lotus.records.seal import sealed


def test_a_repetition_is_the_same(experiment):
    found = compared(experiment("a"), experiment("b"))
    assert found.same
    assert found.compared == len(ROWS) * len(METRICS) - 1  # gold has no JSD to itself
    assert (found.numbers, found.state_changes, found.changes) == ([], [], [])
    assert "all 11 numbers agree" in compare_text.summary(found)


def test_a_parameter_explains_its_row_and_no_other(experiment):
    b = experiment("b", alpha={"ours": 4.0}, effect={"ours": 0.5})
    found = compared(experiment("a"), b)
    cause = {("parameter", "hyperparameters.alpha")}
    assert moved(found) == {("ours", metric): cause for metric in METRICS}
    (change,) = found.changes
    assert (change.old, change.new, change.explains) == ((1.0,), (4.0,), 3)
    assert change.records == tuple(
        f"results/d/net/seed{seed}/class-a/corrected/ours/run.json" for seed in SEEDS
    )


def test_gold_moves_what_is_measured_against_it_only(experiment):
    b = experiment("b", code={"gold": "1"}, effect={"gold": 0.5})
    found = moved(compared(experiment("a"), b))
    own = {("gold", "accuracy_forget"), ("gold", "rf_jsd")}
    assert found.keys() == own | {(row, "jsd") for row in ("original", "ours", "theirs")}
    assert all(causes == {("code", "lotus.methods.gold")} for causes in found.values())


def test_the_original_reaches_methods_through_its_weights(experiment):
    b = experiment("b", code={"original": "1"}, effect={"original": 0.5, "ours": 0.25})
    found = moved(compared(experiment("a"), b))
    assert found["ours", "accuracy_forget"] == {("code", "lotus.methods.original")}
    assert found["gold", "rf_jsd"] == {("code", "lotus.methods.original")}
    assert ("gold", "accuracy_forget") not in found


def test_the_computation_of_metrics_explains_all_of_them(experiment):
    found = compared(experiment("a"), experiment("b", metrics_code="1", offset=0.5))
    assert len(found.numbers) == found.compared
    assert {frozenset(causes) for causes in moved(found).values()} == {
        frozenset({("code", "lotus.runs.evaluation")})
    }


def test_other_data_and_another_forget_set_are_told_once_for_all_seeds(experiment):
    found = compared(experiment("a"), experiment("b", forget="random"))
    causes = {
        ("data", "results/d/splits/seed*/class-a.json"),
        ("parameter", "rule"),
    }
    # The original's run knows nothing of the forget set; its numbers do.
    assert moved(found)["original", "accuracy_forget"] == causes
    assert moved(found)["ours", "jsd"] == causes
    assert {(change.kind, len(change.records)) for change in found.changes} == {
        ("data", len(SEEDS)),
        ("parameter", len(SEEDS)),
    }
    # What is changed in a method on top of that is nothing to the original.
    both = experiment("b", forget="random", alpha={"ours": 2.0}, effect={"ours": 0.5})
    found = compared(experiment("a"), both)
    assert moved(found)["original", "accuracy_forget"] == causes
    assert moved(found)["ours", "jsd"] == causes | {("parameter", "hyperparameters.alpha")}
    found = compared(experiment("a"), experiment("c", data="other images"))
    assert ("data", "data/stores/d/source.json") in moved(found)["original", "accuracy_forget"]


def test_a_change_without_effect_moved_nothing_and_explains_nothing(experiment):
    code = {"theirs": "1", "gold": "1", "original": "1"}
    b = experiment("b", torch="2.1", code=code, effect={"ours": 0.5}, alpha={"ours": 2.0})
    found = compared(experiment("a"), b)
    by_what = {change.what: change for change in found.changes}
    assert [by_what[f"lotus.methods.{row}"].explains for row in code] == [0, 0, 0]
    assert [step.same for step in by_what["torch"].steps].count(False) == 2 * len(SEEDS)
    # Of the new torch only what came through bytes that differ counts.
    environment = {("environment", "torch"), ("parameter", "hyperparameters.alpha")}
    assert moved(found)["ours", "jsd"] == environment
    text = "\n".join(compare_text.lines(found, 20))
    assert "code: lotus.methods.theirs" in text
    assert "moved no number" in text
    assert "torch: 2.0 → 2.1" in text
    assert "can explain 3 differences; 9 of 13 steps wrote the same bytes with it" in text


def test_what_moved_without_a_recorded_change_is_said_to(experiment):
    found = compared(experiment("a"), experiment("b", effect={"ours": 0.5}))
    assert moved(found) == {("ours", metric): set() for metric in METRICS}
    text = "\n".join(compare_text.lines(found, 20))
    assert "3 without a recorded change (not deterministic?)" in text
    assert "no recorded change" in text.splitlines()[-1]


def test_a_run_under_another_protocol_is_told_as_one(experiment):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    for path in b.folder.rglob("ours/run.json"):
        content = json.loads(path.read_text())
        content["about"]["protocol"] = content["settings"]["protocol"] = "released"
        write_json(path, sealed(content))
    found = compared(a, b)
    assert moved(found)["ours", "jsd"] == {("protocol", "protocol")}
    assert len(found.changes) == 1


def test_a_number_that_was_edited_is_found_out(experiment):
    a, b = experiment("a"), experiment("b")
    edit(
        b.folder / "results/d/net/seed1/class-a/corrected/metrics.json",
        lambda content: content["rows"]["ours"].update(jsd=0.75),
    )
    found = compared(a, b)
    assert moved(found) == {("ours", "jsd"): {("record", "metrics file and its record")}}
    assert found.changes[0].new == ("disagree",)
    assert "the same bytes" not in "\n".join(compare_text.lines(found, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content["settings"].update(x=1), "edited"),
        (lambda content: content.update(format=1), "its format is 1"),
        (lambda content: content.pop("code"), "lacks code"),
    ],
)
def test_records_that_cannot_be_trusted_are_told_and_numbers_compared(experiment, change, said):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    for seed in SEEDS:
        edit(b.folder / f"results/d/net/seed{seed}/class-a/corrected/ours/run.json", change)
    found = compared(a, b)
    assert moved(found)["ours", "jsd"] == {("record", "state")}
    (cause,) = found.changes
    assert cause.old == ("sound",)
    assert said in cause.new[0]
    assert "records that cannot be trusted: sound → " in "\n".join(compare_text.lines(found, 9))


def test_times_are_compared_on_demand(experiment):
    a, b = experiment("a"), experiment("b")
    for path in b.folder.rglob("ours/run.json"):
        content = json.loads(path.read_text())
        content["time"]["unlearn"] = 3.0
        write_json(path, sealed(content))
    assert compared(a, b).same
    found = compared(a, b, times=True)
    ((number, ids),) = found.numbers
    assert (number.metric, number.difference, ids) == ("seconds", 2.0, ())
    assert "without a recorded change" not in compare_text.summary(found)


def test_another_runtime_can_explain_what_moved_and_older_records_mean_the_default(experiment):
    a, b, c = (experiment(name) for name in "abc")
    run = "results/d/net/seed1/class-a/corrected/ours/run.json"
    for made, chosen in ((a, {}), (b, {"precision": "fp32"}), (c, {"precision": "bf16"})):
        content = json.loads((made.folder / run).read_text())
        content["hardware"] |= {"device": "cpu", **chosen}
        write_json(made.folder / run, sealed(content))
    assert not compared(a, b).changes
    (change,) = compared(a, c).changes
    assert (change.kind, change.what) == ("environment", "precision")
    assert (change.old, change.new) == (("fp32",), ("bf16",))
