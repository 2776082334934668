"""What the printed numbers say of the claims."""

from lotus.claims.as_printed import as_printed, places_of
from lotus.claims.judging import FAILS, HOLDS
from lotus.claims.stated import BASELINES


def test_what_the_printed_numbers_say(claims, published):
    """Facts read by hand from the published tables."""
    said = {name: as_printed(claim, published) for name, claim in claims.items()}
    gap = said["nearest-to-gold"]
    assert (gap.verdict, gap.benchmarks) == (FAILS, 8)
    assert gap.exceptions == [
        "cleaned MUFAC, ResNet18, its forget set: LoTUS 0.1250; better: Bad Teacher 0.1025"
    ]
    assert len(gap.ties) == 2
    assert "CIFAR-10, ViT, 10 % forgotten: LoTUS 0.0050, as SCRUB" in gap.ties
    assert said["first-or-second"].verdict == HOLDS
    half = said["nearest-to-gold-half"]
    assert half.exceptions == [
        "CIFAR-10, ResNet18, 50 % forgotten: LoTUS 0.0650; better: Bad Teacher 0.0625"
    ]
    assert said["smallest-divergence"].verdict == said["fastest"].verdict == HOLDS
    assert said["imagenet"].verdict == said["faster-than-retraining"].verdict == HOLDS
    classes = said["nearest-to-gold-classes"]
    assert (classes.verdict, len(classes.exceptions)) == (FAILS, 1)
    assert "UNSIR 0.0575" in classes.exceptions[0]
    assert (said["rf-jsd-tracks-jsd"].verdict, said["rf-jsd-tracks-jsd"].benchmarks) == (HOLDS, 11)
    assert said["no-streisand"].verdict == "not printed"
    assert said["alpha-eight"].verdict == said["alpha-two"].verdict == HOLDS
    assert len(said["keeps-retain-accuracy"].exceptions) == 2


def test_smallest_is_no_matter_of_chance_in_print(claims, published):
    """Against an independent reading of the table."""
    lines = published[published["preferred"] & (published["item"] == "table1")]
    table = lines[lines["metric"] == "avg_gap"].pivot(
        index=["dataset", "architecture", "scenario"], columns="row", values="mean"
    )
    first = table["lotus"] <= table[[*BASELINES]].min(axis=1)
    assert list(table.index[~first]) == [("mufac-clean", "resnet18", "mufac-fixed")]
    assert set(places_of(claims["nearest-to-gold"], published)) == set(table.index)
