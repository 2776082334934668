"""What a plan makes of networks of others and of checkpoints."""

import json
import sys

import pytest
from small_configuration import CELL, change, plan_of

from lotus.config.cells import Benchmark
from lotus.config.protocol import parse
from lotus.config.reading import load
from lotus.layout import GOLD, ORIGINAL
from lotus.plan.commands import run_command
from lotus.plan.step import subject_of
from lotus.plan.steps import Steps
from lotus.published.counterparts import counterpart

FILE = {"file": "mine.pth", "sha256": "a" * 64}


def told(steps, kind):
    found = steps.of_kind(kind).values()
    return [
        json.loads(step.told["architecture"]) for step in found if "/resnet18/" in step.told["out"]
    ]


def with_network(content, **section):
    return change(content, ["architectures", "resnet18"], section)


def test_the_original_alone_is_told_of_a_checkpoint(content):
    """So that another checkpoint asks for no other gold."""
    section = content["architectures"]["resnet18"]
    content["privacy"] = {"shadows": 4}
    plain, steps = (
        Steps(plan_of(with_network(content, **section, **more)))
        for more in ({}, {"checkpoint": FILE})
    )
    originals = steps.of_kind("pretrain_original").values()
    are_shadows = ["half" in step.inputs for step in originals if "/resnet18/" in step.told["out"]]
    assert any(are_shadows)
    assert not all(are_shadows)
    for architecture, is_shadow in zip(told(steps, "pretrain_original"), are_shadows, strict=True):
        assert (architecture["checkpoint"] is None) is is_shadow
    assert told(steps, "retrain_gold") == told(plain, "retrain_gold")
    for step in originals:
        (record,) = step.records
        assert record.settings["architecture"] == json.loads(step.told["architecture"])


@pytest.mark.parametrize(
    "section",
    [{"model": "timm", "name": "test_vit"}, {"model": "torchvision", "name": "vgg11"}],
    ids=["timm", "torchvision"],
)
def test_image_by_image_is_a_run_of_its_own_where_batch_norm_cannot_be_excluded(content, section):
    plan = plan_of(with_network(content, **section))
    cell = CELL.under("corrected+e1")
    assert parse(plan.home(cell, "finetune").protocol).has("E1")
    assert not parse(plan.home(cell, ORIGINAL).protocol).has("E1")


def test_a_checkpoint_is_none_of_the_papers_networks(content):
    content["datasets"]["fashion-mini"]["store"] = {"source": "cifar10"}
    cell = Benchmark("fashion-mini", "resnet18", "instance-10", "corrected")
    for more, is_the_papers in (({}, True), ({"checkpoint": FILE}, False)):
        settings = load(with_network(content, model="resnet18", **more), [])
        assert (counterpart(settings, cell) is not None) is is_the_papers


def test_the_code_of_a_run_has_the_users_file_and_what_it_imports_and_runs_none_of_it(
    content, tmp_path
):
    (tmp_path / "net_in_a_plan.py").write_text(
        "import layers_in_a_plan\nraise SystemExit('was run')\n"
    )
    (tmp_path / "layers_in_a_plan.py").write_text("WIDTH = 4\n")
    file = str(tmp_path / "net_in_a_plan.py")
    plan = plan_of(with_network(content, model="plugin", file=file))
    subject = subject_of(plan.home(CELL, GOLD), plan.settings.seeds[0])
    of_gold = {**subject, "row": GOLD}
    step = Steps(plan).find("retrain_gold", of_gold)
    assert step.modules == ("lotus.runs.train", "lotus.models.from_plugin", "net_in_a_plan")
    assert "net_in_a_plan" not in sys.modules
    for kind, is_told in (("unlearn", True), ("try_candidates", True), ("retrain_gold", False)):
        for step in Steps(plan).of_kind(kind).values():
            is_own = step.subject["architecture"] == "resnet18"
            assert (step.told.get("network") == ["--network", file]) is (is_told and is_own)
    unlearned = Steps(plan).find("unlearn", {**of_gold, "row": "finetune"})
    assert file in run_command(unlearned)
    assert plan.settings.own_code == (file,)


def test_another_network_of_the_users_asks_for_its_runs_again(content, tmp_path):
    """Digests are kept within a process, so each state of the file has a name of its own."""
    digests = []
    for number, width in enumerate((4, 4, 5)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "net_of_the_plan.py").write_text("import layers_of_the_plan\n")
        (folder / "layers_of_the_plan.py").write_text(f"WIDTH = {width}  # a comment {number}\n")
        plan = plan_of(
            with_network(content, model="plugin", file=str(folder / "net_of_the_plan.py"))
        )
        subject = {**subject_of(plan.home(CELL, GOLD), plan.settings.seeds[0]), "row": GOLD}
        digests.append(Steps(plan).code_of("retrain_gold")(subject))
    assert digests[0] == digests[1] != digests[2]
