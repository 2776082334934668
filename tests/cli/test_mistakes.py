"""A mistake on the command line is answered in one message, with a status that is not zero."""

from pathlib import Path

import pytest
from commands import call
from project import ROOT


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a digits store, its splits and nothing else."""
    monkeypatch.chdir(tmp_path)
    assert call("fetch", "digits", "--out", "raw.json").exit_code == 0
    assert call("store", "digits", "--raw", "raw.json", "--out", "store").exit_code == 0
    split = ["--store", "store", "--seed", 1]
    assert call("split-held-out", *split, "--out", "held-out.json").exit_code == 0
    scenario = "{forget_fraction: 0.1}"
    chosen = call("choose-forget-set", *split, "--scenario", scenario, "--out", "forget.json")
    assert chosen.exit_code == 0
    return tmp_path


CHOOSE = ["choose-forget-set", "--store", "store", "--seed", 1, "--out", "x.json", "--scenario"]
RUN = ["--store", "store", "--held-out", "held-out.json", "--seed", 1, "--out", "run"]
EVALUATE = ["--seed", 1, "--out", "m.json"]
TRAIN_SMALL = ["pretrain", *RUN, "--architecture", "{model: resnet18}"]
UNLEARN = ["unlearn", "lotus", *RUN, "--forget-set", "forget.json", "--original", "store"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["fetch", "digit", "--out", "x.json"], ["'digit'", "did you mean 'digits'"]),
        (
            [*CHOOSE, "{forget_class: cat}"],
            ["no class 'cat'", "eight"],
        ),
        (
            [*CHOOSE, "{forget_fraction: 2}"],
            ["--scenario: forget_fraction = 2", "less than 1"],
        ),
        (["pretrain", *RUN, "--architecture", "{model: resnet}"], ["--architecture", "resnet18"]),
        (["pretrain", *RUN, "--architecture", "3"], ["'3' is not a mapping"]),
        (
            [*TRAIN_SMALL, "--device", "gpu"],
            ["device 'gpu'", "auto, cpu, cuda"],
        ),
        (
            [*TRAIN_SMALL, "--runtime", "precision=fp16"],
            ["runtime 'precision=fp16'", "precision=fp32|tf32|bf16"],
        ),
        (
            [*TRAIN_SMALL, "--device", "cpu", "--runtime", "precision=tf32"],
            ["runtime precision=tf32 needs CUDA", "precision=fp32 or bf16"],
        ),
        (
            ["pretrain", *RUN, "--architecture", "{model: vit, patch_size: 3}"],
            ["patch_size = 3", "8×8"],
        ),
        (
            [
                *("pretrain", *RUN, "--architecture"),
                "{model: vit-b16, weights: null, training: {epochs: 1, warmup_epochs: 0}}",
            ],
            ["images are 1×8×8", "3×224×224", "resize: 224"],
        ),
        (
            ["pretrain", *RUN, "--architecture", "{model: vit-b16, weights: {file: v.pth}}"],
            [
                "--architecture: weights.sha256: Field required",
                "--architecture: training: Field required",
            ],
        ),
        (
            ["pretrain", *RUN, "--architecture", "{model: resnet18}", "--checkpoint-every", -1],
            ["--checkpoint-every", "-1"],
        ),
        (
            ["unlearn", "lotsu", *RUN, "--forget-set", "forget.json", "--original", "store"],
            ["unknown method 'lotsu'", "did you mean 'lotus'"],
        ),
        (
            [*UNLEARN, "--set", "alhpa=1"],
            ["method lotus: alhpa = 1", "did you mean 'alpha'"],
        ),
        (
            [*UNLEARN, "--set", "alpha"],
            ["'alpha'", "KEY=VALUE"],
        ),
        (
            [*UNLEARN],
            ["store/run.json", "cannot be read"],
        ),
        (
            ["unlearn", "lotus", *RUN, "--forget-set", "held-out.json", "--original", "store"],
            ["held-out.json: is not a split", "forget"],
        ),
        (
            ["table", "sumary", "raw.json", "--out", "t", "--record", "r.json"],
            ["unknown table 'sumary'", "did you mean 'summary'"],
        ),
        (
            ["figure", "avg-gap", "raw.json", "--out", "f", "--record", "r.json"],
            ["raw.json: is not a metrics file"],
        ),
        (
            ["evaluate", "--of", "original", "raw.json", "--of", "gold", "raw.json", *EVALUATE],
            ["raw.json: the predictions are damaged"],
        ),
        (
            ["evaluate", "--of", "original", "raw.json", *EVALUATE],
            ["predictions of gold or of a method", "--of"],
        ),
        (
            ["evaluate", "--of", "gold", "raw.json", "--of", "lotus", "raw.json", *EVALUATE],
            ["predictions of original", "--of"],
        ),
        (
            [*UNLEARN, "--protocol", "corected"],
            ["unknown protocol 'corected'", "did you mean 'corrected'", "corrected+SWITCH"],
        ),
        (
            [*UNLEARN, "--protocol", "corrected+m77"],
            ["protocol 'corrected+m77'", "'+m77'", "m1, m2"],
        ),
        (
            [*UNLEARN, "--plugin", "mine.py"],
            ["plugin 'mine.py'", "no such file"],
        ),
        (
            ["pretrain", *RUN, "--architecture", "{model: resnet18}", "--images", "{crop: x}"],
            ["--images: crop = 'x'", "integer"],
        ),
        (
            ["tune", "lotus", *RUN, "--forget-set", "forget.json", "--original", "store"],
            ["Missing option '--candidate'"],
        ),
        (
            [
                *("tune", "lotus", *RUN, "--forget-set", "forget.json", "--original", "store"),
                *("--candidate", "{alpha: two}"),
            ],
            ["method lotus: alpha = 'two'", "number"],
        ),
        (
            ["tune", "lotus", *RUN, "--weights-of", "store"],
            ["No such option", "--weights-of"],
        ),
        (
            ["choose", "held-out.json", "--out", "o.yaml"],
            ["held-out.json: is not a file of `lotus tune`"],
        ),
        (["verify", "store", "--locked", "0.dir", "--out", "x.json"], ["0.dir", "data.dvc locks"]),
    ],
)
def test_a_mistake_is_answered_in_one_message(project, arguments, parts):
    before = sorted(project.rglob("*"))
    result = call(*arguments)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    for part in parts:
        assert part in result.output
    assert sorted(project.rglob("*")) == before, "something was left half-written"


def test_damaged_raw_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/embedded/fashion-mnist"
    folder.mkdir(parents=True)
    result = call("fetch", "fashion-mini", "--out", "raw.json")
    assert result.exit_code == 1
    assert "t10k-images-idx3-ubyte.gz was not found; looked for data/embedded" in result.output
    original = ROOT / "data/embedded/fashion-mnist/t10k-images-idx3-ubyte.gz"
    content = bytearray(original.read_bytes())
    content[1000] ^= 1
    (folder / original.name).write_bytes(content)
    result = call("fetch", "fashion-mini", "--out", "raw.json")
    assert "but bef4ecab320f06d8554ea6380940ec79 is published" in result.output
    assert not Path("raw.json").exists()


def test_trials_of_before_can_be_written_over(project):
    said = call("tune", "lotsu", *UNLEARN[2:], "--candidate", "{}", "--out", "raw.json").output
    assert "unknown method 'lotsu'" in said
