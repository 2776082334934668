"""A model that is gone is made again, with what follows from it, and nothing else."""

from forked import own_lotus
from own_file import DIGITS, MODEL


def test_a_deleted_model_is_made_again_with_what_follows(finished, extended):
    folder, noted = extended
    plan = noted["model deleted"]
    assert (plan["unlearn"], plan["evaluate"]) == (1, 1)
    assert not {"pretrain_original", "retrain_gold", "build_store"} & set(plan)
    assert (folder / MODEL).read_bytes() == (finished / MODEL).read_bytes()
    assert noted["done"] == {}
    assert "; sound." in own_lotus(folder, "audit", *DIGITS).stdout
