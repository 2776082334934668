"""What a process finds around it: the folder's name, files beside the project, variables, the terminal."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from forked import snakemake
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT, copy_of_project, run

from lotus import surroundings
from lotus.engine import asking
from lotus.engine.device import prepare
from lotus.errors import LotusError

LOTUS = [sys.executable, "-P", str(ROOT / "workflow/run_lotus.py")]


def lotus(folder, *arguments, program=LOTUS, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run(
        [*program, *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A project without .git in a folder of an unlikely name, among things that can get in its way."""
    around = tmp_path_factory.mktemp("around")
    project = around / 'the "new" one\'s $HOME `x` (2):é;'
    project.mkdir()
    copy_of_project(project)
    for path in (project / ".git").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    run(around, "rm", "-rf", str(project / ".git"))
    for name in ("random.py", "queue.py", "types.py", "yaml.py", "click.py"):
        (project / name).write_text('"""My notes."""\n')
    other = around / "other" / "lotus"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('the code of another copy was run')")
    (around / "t {m} $p").mkdir()
    return project, {
        "PYTHONPATH": str(other.parent),
        "PYTHONSTARTUP": str(project / "absent.py"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TMPDIR": str(around / "t {m} $p"),
        "GIT_DIR": str(around / "absent"),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }


@pytest.fixture(scope="module")
def ran(strange):
    project, variables = strange
    targets = ("results/figures/data-classes-digits.svg", "data/stores/dvc.json")
    text = (project / "config/digits.yaml").read_text(encoding="utf-8")
    title = 'title: "{alpha} of été ≥ \\\\mathcal{L}"\n'
    own = project / "own {x}.yaml"
    own.write_text(title + text.partition("\n")[2].replace("title:", "# "), encoding="utf-8")
    command = ["snakemake", "--cores", "2", "--configfile", own.name, "--", *targets]
    run(project, *command, "results/experiment.json", **variables)
    return project


def test_it_runs_whatever_the_folder_is_called_and_holds(ran):
    assert (ran / "results/figures/data-classes-digits.svg").is_file()
    record = (ran / "results/records/experiment.json").read_text()
    assert '"commit": null' in record


def test_a_folder_that_dvc_cannot_work_in_is_refused_at_once(tmp_path):
    project = tmp_path / "set {x}"
    project.mkdir()
    copy_of_project(project)
    done = snakemake(project, "--cores", "1", "-n", check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "set {x}: the folder's name, or one above it, has a brace" in said
    assert "Traceback" not in said


def test_a_text_with_braces_is_shown_as_it_is_written(ran):
    described = (ran / "results/experiment.json").read_text(encoding="utf-8")
    assert "{alpha} of \\u00e9t\\u00e9 \\u2265 \\\\mathcal{L}" in described


def test_files_of_the_present_folder_hide_no_module(strange):
    project, _ = strange
    for program in (LOTUS, [sys.executable, "-m", "lotus"]):
        done = lotus(project, "protocols", program=program, PYTHONPATH="")
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.startswith(b"T1")


def test_another_copys_code_is_not_run_in_silence(strange):
    project, _ = strange
    done = lotus(project, "protocols")
    assert done.returncode == 0
    assert f"this is the code in {ROOT / 'lotus'}, not that of the project".encode() in done.stderr
    assert b"to run the project's own: python -m lotus\n" in done.stderr
    for own in (["-P", "workflow/run_lotus.py"], ["-m", "lotus"]):
        assert not lotus(project, "protocols", program=[sys.executable, *own]).stderr


@pytest.mark.parametrize(
    "command",
    [["audit"], ["check-config", "config/digits.yaml"], ["restore", "--list"], ["diff", "."]],
)
def test_a_clone_that_is_looked_at_has_nothing_of_it_run(tmp_path, command):
    """Nor what Python or a library would load, if it were there."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "Snakefile").write_text("raise SystemExit('it was run')\n")
    names = ["sitecustomize", "usercustomize", "brotli", "simplejson", "numexpr", "bottleneck"]
    for module in (*names, "lotus/__init__", "lotus/errors", "lotus/methods/__init__"):
        (tmp_path / module).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{module}.py").write_text("open('was-run', 'w')\n")
    done = lotus(tmp_path, *command, PYTHONPATH="")
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
@pytest.mark.parametrize("arguments", [["methods"], ["check-config", "config/digits.yaml"]])
def test_what_a_terminal_cannot_show_is_written_as_an_escape(variables, arguments):
    done = lotus(ROOT, *arguments, **variables)
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout + done.stderr
    if arguments == ["methods"] and "latin-1" in variables.values():
        assert b"\\u03b1" in done.stdout


def test_a_name_that_is_not_utf8_can_be_told(tmp_path):
    done = lotus(tmp_path, "verify", os.fsencode(tmp_path / "caf") + b"\xe9", "--out", "x.json")
    assert b"Traceback" not in done.stderr
    assert b"caf" in done.stderr


def test_the_checkout_comes_after_python_and_before_an_installed_copy(tmp_path, monkeypatch):
    from lotus import surroundings

    site = tmp_path / "site-packages"
    (site / "lotus").mkdir(parents=True)
    python = str(Path(os.__file__).parent)
    monkeypatch.chdir(tmp_path)
    found = [str(ROOT), str(tmp_path)]
    monkeypatch.setattr(sys, "path", [str(ROOT), "", "/own", python, str(site), "/late"])
    surroundings.keep_checkout_last()
    assert sys.path == ["/own", python, *found, str(site), "/late"]
    monkeypatch.setattr(sys, "path", [str(ROOT), str(tmp_path), python, "/site-packages"])
    surroundings.keep_checkout_last()
    assert sys.path == [python, "/site-packages", *found]


WORDS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30
) | st.sampled_from(
    ["", "0", "/", "cuda:99", "/dev/null", "cpu,cuda", "module://x", "\n", "é" * 200]
)


THREADS = """
from threadpoolctl import threadpool_info

from lotus import surroundings

surroundings.settle()
import scipy.linalg

used = {it["num_threads"] for it in threadpool_info() if it["internal_api"] == "openblas"}
assert used == {1}, used
"""


def test_linear_algebra_takes_one_thread_however_many_cores_there_are():
    run(ROOT, sys.executable, "-c", THREADS, OPENBLAS_NUM_THREADS="2")


@given(WORDS)
def test_any_device_is_one_of_this_machine_or_refused(name):
    try:
        assert prepare(name, 1).torch.type in ("cpu", "cuda")
    except LotusError as error:
        assert repr(name) in str(error)


@given(WORDS)
def test_where_no_warm_process_listens_lotus_works_by_itself(address):
    assert asking.ask(address, ["lotus"]) is None


NAMES = (
    "LOTUS_DEVICE",
    "LOTUS_RUNTIME",
    "LOTUS_CHECKPOINT_EVERY",
    "LOTUS_WARM",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "MATPLOTLIBRC",
    "TMPDIR",
    "PYTHONSTARTUP",
    "LANG",
    "LC_ALL",
    "HOME",
    "COLUMNS",
    "TERM",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "OMP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "DVC_SITE_CACHE_DIR",
    "NO_COLOR",
)


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), WORDS, min_size=3, max_size=8))
def test_whatever_the_variables_are_a_job_works_or_says_what_is_wrong(variables):
    with TemporaryDirectory() as folder:
        done = lotus(folder, "fetch", "fashion-mini", "--out", "raw.json", **variables)
        assert b"Traceback" not in done.stderr
        assert done.returncode == 0 or b"Error: " in done.stderr
        assert (Path(folder) / "raw.json").is_file() == (done.returncode == 0)


def test_the_present_folder_is_left_out_and_taken_in_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    surroundings.leave_out_present_folder()
    assert str(tmp_path) not in map(os.path.abspath, sys.path)
    for _ in range(2):
        surroundings.take_in_present_folder()
    assert sys.path.count(str(tmp_path)) == 1
    assert sys.path[-1] == str(tmp_path)
