"""docs/own-method.md, done word by word: a method in one file, and in a package of its own."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from forked import lotus, planned, snakemake
from project import ROOT, copy_of_project, run

PAGE = (ROOT / "docs/own-method.md").read_text()


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.M | re.S)
    return found


TABLE = "results/tables/digits-resnet18-instance-10-corrected.csv"
CONFIG = ("--configfile", "my-experiment.yaml")


@pytest.fixture(scope="module")
def content():
    """A configuration of one seed and one scenario of digits, with the page's rows."""
    content = yaml.safe_load((ROOT / "config/digits.yaml").read_text())
    content |= yaml.safe_load(block("yaml"))
    content |= {"seeds": [3407], "overrides": [], "tuning": None}
    content["grid"] = [{**content["grid"][0], "scenarios": ["instance-10"]}]
    content["grid"][0]["protocols"] = ["corrected"]
    return content


PATCHER = """
from lotus.methods import lotus

lotus.LoTUS.alpha = 3
"""
"""A plug-in that registers nothing, and changes a method of ours."""


BREAKS = """
from dataclasses import dataclass

from lotus.methods.base import register


@register("breaks")
@dataclass(frozen=True)
class Breaks:
    def unlearn(self, task):
        raise ValueError("there is no mask")
"""
"""A plug-in with a method that raises."""


@pytest.fixture(scope="module")
def project(content, tmp_path_factory):
    """A copy of the project in which this experiment was run, with the method in one file.

    In place of SCRUB there is a method that raises.
    """
    folder = tmp_path_factory.mktemp("method") / "project"
    copy_of_project(folder)
    (folder / "ascent.py").write_text(block("python"))
    (folder / "patcher.py").write_text(PATCHER)
    (folder / "breaks.py").write_text(BREAKS)
    content = {
        **content,
        "plugins": [*content["plugins"], "patcher", "breaks"],
        "methods": {**content["methods"], "scrub": {"method": "breaks"}},
    }
    (folder / "my-experiment.yaml").write_text(yaml.safe_dump(content))
    snakemake(folder, "--cores", "2", *CONFIG)
    return folder


def test_a_method_in_one_file(project):
    listed = lotus(project, "methods", "--plugin", "ascent.py").stdout
    assert "ascent\n  Climbs the loss of the forget set.\n  defaults: epochs=1" in listed
    table = pd.read_csv(project / TABLE)
    assert [*table["row"]] == ["original", "gold", "ascent", "ascent-longer", "lotus", "scrub"]
    page = (project / "results/report/index.html").read_text()
    assert "ascent-longer" in page
    folder = project / "results/digits/resnet18/seed3407/instance-10/corrected/ascent-longer"
    record = json.loads((folder / "run.json").read_text())
    assert record["settings"]["hyperparameters"]["epochs"] == 3
    assert record["code"]["entry"][1:] == ["ascent", "lotus.models.resnet18", "patcher"]
    described = json.loads((project / "results/records/experiment.json").read_text())
    assert described["code"]["entry"] == ["lotus.plan.contents", "ascent", "patcher", "breaks"]


def test_a_method_that_raises_stops_nothing_and_the_page_says_so(project):
    page = (project / "results/report/index.html").read_text()
    (told,) = re.findall(r'<details class="unmeasured" id="failed-runs">.*?</details>', page, re.S)
    words = " ".join(re.sub(r"<[^>]+>", " ", told).split())
    assert "1 run failed:" in words
    assert "SCRUB, digits, ResNet18, 10 % forgotten, corrected: method breaks raised" in words
    assert "ValueError: there is no mask" in words
    (log,) = re.findall(r"Seed 3407: (\S+)\.log", words)
    assert "Traceback" in (project / f"{log}.log").read_text()
    verdicts = json.loads((project / "results/claims.json").read_text())
    missed = re.findall(r'href="#claim-([a-z0-9-]+)"', told)
    assert missed
    for claim in verdicts["claims"]:
        of_claim = [ruling["findings"] for ruling in claim["rulings"]]
        assert (claim["id"] in missed) == any(it["failed"] for found in of_claim for it in found)
    assert "failed in 1 of 1 seed" in page


def test_an_audit_sees_the_method_and_runs_no_line_of_it(project):
    """Without an import it has to find the same identity and the same hyper-parameters as the run."""
    assert "; sound." in lotus(project, "audit").stdout
    marked = "from pathlib import Path\nPath('was-run').touch()\n"
    file = project / "ascent.py"
    file.write_text(block("python").replace("\n\nimport torch", f"\n\n{marked}import torch"))
    said = lotus(project, "audit", check=False).stdout
    assert "ascent/model.safetensors: code: ascent changed since" in said
    assert not (project / "was-run").exists()
    file.write_text(block("python"))


def test_another_operator_makes_the_rows_of_this_method_anew(project):
    file = project / "ascent.py"
    file.write_text(block("python").replace("-F.cross", "-2 * F.cross"))
    jobs = planned(project, *CONFIG)
    assert jobs["unlearn"] == 2
    assert not {"pretrain_original", "retrain_gold"} & jobs.keys()
    file.write_text(block("python"))


def test_a_plugin_that_registers_nothing_belongs_to_the_code_of_every_run(project):
    """It can have changed any method: exchanged afterwards, all that ran under it is stale."""
    file = project / "patcher.py"
    file.write_text(PATCHER.replace("alpha = 3", "alpha = 4"))
    audited = lotus(project, "audit", "--json", check=False).stdout
    wrong = {it["path"]: it for it in json.loads(audited)["artifacts"] if it["reason"]}
    assert {it["status"] for it in wrong.values()} == {"stale"}
    assert {it["reason"] for it in wrong.values()} == {"code: patcher changed since"}
    rows = {Path(path).parent.name for path in wrong if path.endswith("model.safetensors")}
    assert rows == {"ascent", "ascent-longer", "lotus", "scrub"}
    file.write_text(PATCHER)


def test_a_method_in_a_package_of_its_own(project, content, tmp_path):
    package, installed = tmp_path / "package", tmp_path / "installed"
    (package / "my_unlearning").mkdir(parents=True)
    (package / "pyproject.toml").write_text(block("toml"))
    (package / "my_unlearning/__init__.py").write_text("")
    (package / "my_unlearning/ascent.py").write_text(block("python"))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation")
    run(tmp_path, *pip, "--target", installed, package)
    named = {key: value for key, value in content.items() if key != "plugins"}
    (project / "packaged.yaml").write_text(yaml.safe_dump(named))
    (project / "ascent.py").unlink()
    (project / TABLE).unlink()
    options = ("--cores", "2", "--configfile", "packaged.yaml")
    run(project, "snakemake", *options, "--", TABLE, PYTHONPATH=str(installed))
    assert {"ascent", "ascent-longer"} <= {*pd.read_csv(project / TABLE)["row"]}
    record = project / "results/digits/resnet18/seed3407/instance-10/corrected/ascent/run.json"
    assert "my_unlearning.ascent" in json.loads(record.read_text())["code"]["entry"]


def test_an_entry_point_may_name_the_class_itself(tmp_path):
    package = tmp_path / "my_unlearning"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "ascent.py").write_text(block("python").replace('@register("ascent")\n', ""))
    about = tmp_path / "my_unlearning-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-unlearning\nVersion: 0.1\n")
    entry = "[lotus.methods]\nclimb = my_unlearning.ascent:Ascent\n"
    (about / "entry_points.txt").write_text(entry)
    listed = run(tmp_path, "lotus", "methods", PYTHONPATH=str(tmp_path)).stdout
    assert "climb\n  Climbs the loss of the forget set.\n  defaults: epochs=1" in listed


OTHER = "from lotus.methods.base import register\n"


@pytest.mark.parametrize(
    ("plugin", "text", "said"),
    [
        (
            "taken.py",
            block("python").replace('register("ascent")', 'register("lotus")'),
            "method 'lotus' of taken: lotus.methods.lotus already has this name",
        ),
        ("plain.py", f"{OTHER}@register('mine')\nclass Mine: pass", "must be a frozen dataclass"),
        ("missing.py", None, "no such file"),
        ("broken.py", "import nothing_like_this", "ModuleNotFoundError"),
        ("json.py", "", "already has this name"),
        ("no.such.module", None, "cannot be imported"),
    ],
)
def test_a_plugin_that_does_not_load(tmp_path, plugin, text, said):
    if text is not None:
        (tmp_path / plugin).write_text(text)
    done = lotus(tmp_path, "methods", "--plugin", plugin, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert plugin.removesuffix(".py") in done.stderr
    assert "Traceback" not in done.stderr
