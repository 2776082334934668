"""The whole chain through real Snakemake and DVC, in a copy of the project."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recomputed
import yaml
from forked import dvc, lotus, planned, snakemake
from project import run

from lotus import layout
from lotus.config.origins import Origin
from lotus.config.resolved import chosen_for
from lotus.plan.candidates import tuned_cells
from lotus.plan.making import make_plan

CONFIG = ["--configfile", "config/digits.yaml"]


@pytest.fixture(scope="module")
def finished(finished, tmp_path_factory):
    """A copy of the finished project, in which steps are run again."""
    folder = tmp_path_factory.mktemp("workflow") / "project"
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture
def changed(finished):
    """Changes files of the finished project and puts them back afterwards."""
    kept = {}

    def change(name, edit):
        path = finished / name
        kept.setdefault(path, (path.read_bytes(), path.stat()))
        path.write_text(edit(path.read_text()))

    yield change
    for path, (content, status) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_second_run_has_nothing_to_do(finished):
    done = snakemake(finished, "--dry-run", *CONFIG)
    assert "Nothing to be done" in done.stderr + done.stdout


def test_every_run_leaves_model_predictions_and_record(finished):
    for record in sorted(finished.glob("results/digits/**/run.json")):
        content = json.loads(record.read_text())
        assert {Path(name).name for name in content["outputs"]} == {
            "model.safetensors",
            "predictions.npz",
        }
        assert content["hardware"]["device"]
        assert content["about"]["protocol"] in record.parts
        assert content["notes"]["outcome"] == "sound"
        assert content["code"]["dirty"] is False
        assert not Path(shlex.split(content["command"])[0]).is_absolute()
    # Originals; gold and ten methods in two protocols; SCRUB and NegGrad+ with a single switch.
    assert len(list(finished.glob("results/digits/**/run.json"))) == 2 + 2 * 2 * 21 + 2 * 2


def test_every_jobs_log_holds_its_settings(finished):
    log = finished / "logs/unlearn/digits/resnet18/seed13/class-three/corrected/lotus.log"
    assert "alpha=32" in log.read_text()
    assert "temperature" in log.read_text()
    forget = finished / "logs/choose_forget_set/digits/seed13/instance-10.log"
    assert '"forget_fraction": 0.1' in forget.read_text()


def test_the_report_holds_every_benchmark_method_and_figure(finished):
    page = (finished / "results/report/index.html").read_text()
    for text in (
        "digits, ResNet18, 10 % forgotten",
        "digits, ResNet18, class three forgotten",
        "10 % of each class, drawn at random with seed 13",
        "all training images of the class three",
        *("Original (nothing done)", "Gold (retrained)", "LoTUS", "Finetuning"),
        *("NegGrad+", "Random Labeling", "Bad Teacher", "SCRUB", "SSD", "UNSIR", "SalUn+LoTUS"),
        *("Pearson r = ", "Where does this come from?", "Released-e1", "equals the original"),
        *("What each published behaviour costs", "How hyper-parameters are chosen"),
        json.loads((finished / "results/digits/store.json").read_text())["notes"]["dvc"],
    ):
        assert text in page
    # Entropies and maps of two scenarios in two protocols; Avg Gap, times, RF-JSD; classes, similarity;
    # changes; bars of JSD and time, time against Avg Gap, temperature, cost.
    assert page.count('src="data:image/svg+xml,') == 2 * (2 * 2) + 3 + 2 + 1 + 5
    assert "digits, 10 % forgotten: no two of 1797 images are alike" in page
    assert not re.search(r"(src|href)=\"https?:", page.split("<body>")[0])


def test_links_of_the_report_lead_somewhere(finished):
    page = finished / "results/report/index.html"
    text = page.read_text()
    anchors = set(re.findall(r'id="([^"]+)"', text))
    for link in re.findall(r'href="([^"]+)"', text):
        if link.startswith("#"):
            assert link[1:] in anchors
        elif not link.startswith("https://"):
            assert (page.parent / link).is_file(), link


def test_snakemakes_own_report_speaks_the_readers_words(finished, tmp_path):
    page = tmp_path / "report.html"
    snakemake(finished, *CONFIG, "--report", page)
    text = page.read_text()
    for words in (
        *("The paper's tables", "Across benchmarks", "Published behaviours"),
        *("Avg Gap to the gold model", "digits, ResNet18, 10 % forgotten", "class three forgotten"),
        *("Table 1: ten per cent forgotten", "The whole report on one page"),
        "bars single seeds, the dashed line is doing nothing",
    ):
        assert words in text, words


def test_table_cells_are_the_means_of_the_metrics_files(finished):
    table = pd.read_csv(finished / "results/tables/digits-resnet18-instance-10-corrected.csv")
    files = finished.glob("results/digits/resnet18/seed*/instance-10/corrected/metrics.json")
    rows = [json.loads(path.read_text())["rows"]["lotus"] for path in files]
    for metric in ("avg_gap", "jsd", "rf_jsd", "mia", "accuracy_forget"):
        expected = sum(row[metric] for row in rows) / len(rows)
        found = table.set_index("row").loc["lotus", metric]
        assert found == pytest.approx(expected)
    assert (
        finished / "results/tables/digits-resnet18-instance-10-corrected.tex"
    ).read_text().count("&") > 9


def runs_of_row(folder, scenario, protocol, row):
    """Predictions of one row of the digits, a run for each seed."""
    found = []
    for seed in SEEDS:
        root = folder / f"results/digits/resnet18/seed{seed}"
        gold = root / scenario / "corrected/gold/predictions.npz"
        if row == "original":
            path = root / "original/corrected/predictions.npz"
        elif row == "gold":
            path = gold
        else:
            named = root / scenario / protocol / "metrics.json"
            path = folder / json.loads(named.read_text())["predictions"][row]["path"]
        found.append(recomputed.Run(path, gold))
    return found


SEEDS = (3407, 13)


@pytest.mark.parametrize("scenario", ["instance-10", "class-three"])
@pytest.mark.parametrize("row", ["original", "lotus", "scrub", "salun"])
def test_cells_are_recomputed_from_predictions(finished, scenario, row):
    golds = runs_of_row(finished, scenario, "corrected", "gold")
    for protocol in ("corrected", "released-e1"):
        runs = runs_of_row(finished, scenario, protocol, row)
        name = f"digits-resnet18-{scenario}-{protocol}"
        cells = pd.read_csv(finished / f"results/tables/{name}.csv").set_index("row").loc[row]
        item = "table1" if scenario == "instance-10" else "classes"
        numbers = pd.read_csv(finished / f"results/paper/{item}.csv")
        here = numbers[(numbers["dataset"] == "digits") & (numbers["row"] == row)]
        beside = here.set_index("metric")[protocol.split("-")[0]]
        pairs = list(zip(runs, golds, strict=True))
        published_jsd = np.mean([recomputed.published_jsd(run, gold) for run, gold in pairs])
        assert beside["jsd_e4"] == pytest.approx(published_jsd, abs=0.011)
        published_gap = recomputed.published_avg_gap(runs, golds)
        assert beside["avg_gap"] == pytest.approx(published_gap, abs=1e-9)
        if protocol == "corrected":
            jsd = np.mean([recomputed.jsd(run, gold) for run, gold in pairs])
            assert cells["jsd"] == pytest.approx(jsd, abs=1e-9)
            for split in ("forget", "retain", "test"):
                accuracy = np.mean([run.accuracy(split) for run in runs])
                assert cells[f"accuracy_{split}"] == pytest.approx(accuracy)
            mia = np.mean([recomputed.mia(run, s) for run, s in zip(runs, SEEDS, strict=True)])
            assert cells["mia"] == pytest.approx(mia)
            gap = recomputed.avg_gap(runs, golds, SEEDS)
            assert cells["avg_gap"] == pytest.approx(gap)
        else:
            assert cells["jsd_released_e3_e4"] * 1e4 == pytest.approx(published_jsd, abs=0.011)
            assert cells["avg_gap_released_e3_e6"] == pytest.approx(published_gap, abs=1e-9)


def test_dvc_holds_the_locked_stores(finished):
    output = dvc(finished, "status", "data.dvc").stdout
    assert "up to date" in output
    assert run(finished, "git", "status", "--porcelain").stdout == ""


def test_what_others_wait_for_is_begun_first(finished):
    """Else one core trains the last original while the others have nothing left that can start."""
    said = snakemake(finished, "--dry-run", "--forceall", "--quiet", "host", *CONFIG).stdout
    found = re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", said, re.MULTILINE)
    priorities = {
        rule: int(given[1]) if (given := re.search(r"^    priority: (\d+)$", lines, re.M)) else 0
        for rule, lines in found
    }
    assert len(priorities) > 15
    first = sorted(priorities, key=lambda rule: -priorities[rule])[:2]
    assert first == ["pretrain_original", "retrain_gold"]
    assert priorities["pretrain_original"] > priorities["retrain_gold"] > 0
    assert {*priorities.values()} - {0} == {priorities[rule] for rule in first}


def test_changing_alpha_plans_lotus_and_what_follows(finished, changed):
    changed(
        "config/digits.yaml", lambda text: text.replace("lotus: {alpha: 2,", "lotus: {alpha: 3,", 1)
    )
    plan = planned(finished, *CONFIG)
    # instance-10, two seeds, two protocols; class-three has an override
    assert plan["unlearn"] == 4
    assert plan["evaluate"] == 4
    assert not {"pretrain_original", "retrain_gold", "build_store", "split_held_out"} & set(plan)


def test_editing_a_figure_plans_that_figure_and_the_page_only(finished, changed):
    changed("lotus/figures/rf_jsd.py", lambda text: text.replace("nbins=5", "nbins=6"))
    assert planned(finished, *CONFIG) == {
        "draw_figure": 1,
        "write_report": 1,
        "seal_records": 1,
        "all": 1,
    }


def test_editing_a_method_plans_that_method_only(finished, changed):
    changed("lotus/methods/finetune.py", lambda text: text + "\nADDED = 1\n")
    plan = planned(finished, *CONFIG)
    assert plan["unlearn"] == 8
    assert not {"pretrain_original", "retrain_gold"} & set(plan)


def test_fresh_time_stamps_alone_plan_nothing(finished):
    for path in finished.glob("results/digits/resnet18/seed13/original/corrected/*"):
        path.touch()
    assert planned(finished, *CONFIG) == {}


def test_a_run_can_be_repeated_by_hand_to_the_same_bytes(finished):
    folder = finished / "results/digits/resnet18/seed13/instance-10/corrected/lotus"
    before = {
        name: (folder / name).read_bytes() for name in ("model.safetensors", "predictions.npz")
    }
    command = shlex.split(json.loads((folder / "run.json").read_text())["command"])
    command[command.index("--out") + 1] = "by-hand"
    run(finished, *command)
    for name, content in before.items():
        assert (finished / "by-hand" / name).read_bytes() == content
    shutil.rmtree(finished / "by-hand")


def test_a_damaged_store_is_built_again_and_what_was_made_before_stays(finished, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    images = project / "data/stores/digits/images.npy"
    sound = images.read_bytes()
    damaged = bytearray(sound)
    damaged[5000] ^= 255
    images.write_bytes(damaged)
    done = snakemake(project, "--cores", "2", *CONFIG)
    assert (
        "images.npy is not what results/digits/store.json states: it is built again" in done.stderr
    )
    # Its workflow read the store once more after the last job.
    assert "Nothing to be done" in done.stderr
    assert images.read_bytes() == sound


def test_a_wrong_configuration_stops_before_any_job(finished, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    text = (finished / "config/digits.yaml").read_text()
    wrong.write_text(text.replace("seeds: [3407, 13]", "seeds: [13, 13]"))
    done = snakemake(finished, "--cores", "2", "--configfile", wrong, check=False)
    assert done.returncode != 0
    assert f"Error: {wrong}: line 4: seeds.1 = 13: duplicate seed" in done.stderr
    assert "Traceback" not in done.stderr


def test_targets_that_the_experiment_does_not_have_are_told_in_a_line_each(finished):
    targets = {
        "results/tables/digits-resnet18-instance-10-released.csv": (
            "in results/tables/: did you mean 'digits-resnet18-instance-10-released-e1.csv'?"
        ),
        "results/digits/resnet18/seed13/instance-10/released/lotus/run.json": (
            "in results/digits/resnet18/seed13/instance-10/: did you mean 'released-e1'?"
        ),
        "tabel1": "no such target; did you mean 'table1'?",
        "audit": "no such target; it is called 'lookalikes'",
        "unlearn": "this rule is for many files and is not a target; did you mean 'class-unlearning'?",
    }
    done = snakemake(finished, "-n", *CONFIG, "--", *targets, check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    for target, told in targets.items():
        (line,) = [line for line in said.splitlines() if line.startswith(f"Error: {target}: ")]
        assert told in line
    assert "Traceback" not in said


def test_tuning_writes_overrides_that_the_configuration_takes(finished):
    snakemake(finished, "--cores", "2", *CONFIG, "--", "tune")
    blocks = yaml.safe_load((finished / "results/tuning/overrides.yaml").read_text())
    assert [b["where"]["scenario"] for b in blocks] == ["instance-10", "class-three"]
    content = yaml.safe_load((finished / "config/digits.yaml").read_text())
    content["overrides"] += blocks
    plan = make_plan(content, [Origin("tuned", content)])
    for block, cell in zip(blocks, tuned_cells(plan), strict=True):
        for row in ("finetune", "lotus"):
            files = [finished / layout.trials_file(cell, seed, row) for seed in (101, 102, 103)]
            records = [json.loads(file.read_text()) for file in files]
            trials = [record["notes"]["trials"] for record in records]
            found = np.array([[trial["objective"] for trial in seed] for seed in trials])
            best = int(found.mean(axis=0).argmin())
            assert block["methods"][row].items() <= trials[0][best]["given"].items()
            assert plan.hyperparameters(cell, row).items() >= block["methods"][row].items()
            chosen = chosen_for(plan.settings, cell, row)
            assert chosen.objective == pytest.approx(found[:, best].mean(), abs=5e-5)
            assert chosen.spread == pytest.approx(found[:, best].std(ddof=1), abs=5e-5)
            assert (chosen.seeds, chosen.candidates) == (3, 2)
            # Neither gold nor test images were at hand.
            assert not [name for record in records for name in record["inputs"] if "gold" in name]
    # The ledger is to hold these records too.
    audit = ("audit", *CONFIG)
    assert "was made since" in lotus(finished, *audit, check=False).stdout
    assert planned(finished, *CONFIG) == {"seal_records": 1, "all": 1}
    snakemake(finished, "--cores", "2", *CONFIG)
    assert "; sound." in lotus(finished, *audit).stdout
    assert planned(finished, *CONFIG) == {}
