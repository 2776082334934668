"""docs/own-method.md, done word by word: a method in one file, and in a package of its own."""

import json
import re
import sys

import pandas as pd
import pytest
import yaml
from forked import lotus
from project import ROOT, copy_of_project, run

PAGE = (ROOT / "docs/own-method.md").read_text()


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.M | re.S)
    return found


@pytest.fixture
def project(tmp_path):
    """A copy of the project, with a configuration of one seed and one scenario of digits."""
    folder = tmp_path / "project"
    copy_of_project(folder)
    content = yaml.safe_load((ROOT / "config/digits.yaml").read_text())
    content |= yaml.safe_load(block("yaml"))
    content |= {"seeds": [3407], "overrides": [], "tuning": None}
    content["grid"] = [{**content["grid"][0], "scenarios": ["instance-10"]}]
    content["grid"][0]["protocols"] = ["corrected"]
    return folder, content


TABLE = "results/tables/digits-resnet18-instance-10-corrected.csv"


def rows_of(folder, content, *targets, **variables):
    """Runs the experiment, or what the targets need of it; the rows of its table."""
    (folder / "my-experiment.yaml").write_text(yaml.safe_dump(content))
    options = ("--cores", "2", "--configfile", "my-experiment.yaml")
    run(folder, "snakemake", *options, "--", *targets, **variables)
    return pd.read_csv(folder / TABLE).set_index("row")


def test_a_method_in_one_file(project):
    folder, content = project
    (folder / "ascent.py").write_text(block("python"))
    listed = lotus(folder, "methods", "--plugin", "ascent.py").stdout
    assert "ascent\n  Climbs the loss of the forget set.\n  defaults: epochs=1" in listed
    table = rows_of(folder, content)
    assert list(table.index) == ["original", "gold", "ascent", "ascent-longer", "lotus"]
    page = (folder / "results/report/index.html").read_text()
    assert "ascent-longer" in page
    record = (
        folder / "results/digits/resnet18/seed3407/instance-10/corrected/ascent-longer/run.json"
    )
    assert json.loads(record.read_text())["settings"]["hyperparameters"]["epochs"] == 3

    (folder / "ascent.py").write_text(block("python").replace("-F.cross", "-2 * F.cross"))
    command = ("snakemake", "--dry-run", "--configfile", "my-experiment.yaml")
    planned = run(folder, *command).stdout
    assert re.search(r"^unlearn +2$", planned, re.M)
    assert not re.search(r"^(pretrain_original|retrain_gold) ", planned, re.M)


def test_a_method_in_a_package_of_its_own(project, tmp_path):
    folder, content = project
    package, installed = tmp_path / "package", tmp_path / "installed"
    (package / "my_unlearning").mkdir(parents=True)
    (package / "pyproject.toml").write_text(block("toml"))
    (package / "my_unlearning/__init__.py").write_text("")
    (package / "my_unlearning/ascent.py").write_text(block("python"))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation")
    run(tmp_path, *pip, "--target", installed, package)
    del content["plugins"]
    table = rows_of(folder, content, TABLE, PYTHONPATH=str(installed))
    assert {"ascent", "ascent-longer"} <= {*table.index}


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
