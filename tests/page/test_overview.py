"""Where LoTUS stands, and how large the networks are."""

from types import SimpleNamespace

from metrics_files import measured_of, scores

from lotus.page.overview import machines, rank_of_lotus, size


def test_standing_of_lotus(write_metrics):
    rows = {
        "lotus": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.0501),
        "scrub": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.0499),
        "ssd": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.2),
        "unsir": scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.01, collapsed="near chance"),
    }
    found = rank_of_lotus(measured_of([write_metrics("corrected", 1, **rows)]))
    # Both print as 0.050, and the collapsed model is not in the race.
    assert (found.rank, found.methods, found.best) == (1, 3, ["LoTUS", "SCRUB"])
    assert found.beats_original
    assert found.value == 0.0501
    rows["scrub"] |= {"avg_gap": 0.04}
    rows["lotus"] |= {"avg_gap": 0.3}
    found = rank_of_lotus(measured_of([write_metrics("corrected", 1, **rows)]))
    assert (found.rank, found.best, found.best_value) == (3, ["SCRUB"], "0.040")
    assert not found.beats_original


def test_lotus_stands_nowhere_without_a_number(write_metrics):
    fallen = scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.01, collapsed="near chance")
    other = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1)
    assert (
        rank_of_lotus(measured_of([write_metrics("corrected", 1, lotus=fallen, ssd=other)])) is None
    )
    assert rank_of_lotus(measured_of([write_metrics("corrected", 1, ssd=other)])) is None


def test_without_gold_lotus_stands_by_rf_jsd(ungauged):
    found = rank_of_lotus(measured_of(ungauged["corrected"][:1]))
    assert (found.metric, found.rank, found.best) == ("RF-JSD", 2, ["SCRUB"])


def test_an_architecture_is_told_with_its_size_and_the_papers():
    assert (
        size("resnet18", {"model": "resnet18", "width": 8})
        == "ResNet18 (width 8; the paper's: width 64)"
    )
    assert size("resnet18", {"model": "resnet18", "width": 64}) == "ResNet18 (width 64)"
    small = {"model": "vit", "patch_size": 7, "embed_dim": 64}
    assert size("vit", small) == "ViT (patch size 7, embed dim 64; the paper's: ViT-B/16)"
    assert size("vit", {"model": "vit-b16"}) == "ViT"


def test_machines_are_told_with_a_runtime_that_is_not_the_default_one():
    hardware = {"device": "cpu", "device_name": None, "processor": "abacus", "cores": 2}
    of = [hardware, {**hardware, "precision": "fp32"}, {**hardware, "precision": "bf16"}]
    runs = [SimpleNamespace(content={"hardware": it}) for it in of]
    assert machines(runs) == [
        "CPU, abacus, 2 cores (2 models)",
        "CPU, abacus, 2 cores, precision=bf16 (1 model)",
    ]
