"""Publishing locks stores as they are: nothing that was made of them becomes stale."""

import numpy as np
import pytest
from PIL import Image

from lotus import layout
from lotus.audit.changes import differences
from lotus.config.images import StoreOptions
from lotus.config.origins import Origin
from lotus.data.build import build_store, fetch_raw, verify_store
from lotus.data.store import dvc_digest
from lotus.errors import LotusError
from lotus.plan.making import make_plan
from lotus.plan.steps import expected_records
from lotus.records.reading import find_record

LOCK = "outs:\n- path: data/stores/own\n  md5: {}\n  hash: md5\n"


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A plan on own images, whose store is built and verified, in the present folder."""
    monkeypatch.chdir(tmp_path)
    for part in ("train", "test"):
        for shade, name in enumerate(("cat", "dog")):
            (tmp_path / "own" / part / name).mkdir(parents=True)
            for i in range(4):
                pixels = np.full((8, 8, 3), 9 * i + shade, np.uint8)
                Image.fromarray(pixels).save(tmp_path / "own" / part / name / f"{i}.png")
    content = {
        "seeds": [1],
        "datasets": {"own": {"store": {"source": "image-folder", "raw": "own"}}},
        "architectures": {"small": {"model": "resnet18", "width": 8}},
        "scenarios": {"class-dog": {"forget_class": "dog"}},
        "methods": {"finetune": {}},
        "grid": [{"datasets": ["own"], "architectures": ["small"], "scenarios": ["class-dog"]}],
    }
    made = make_plan(content, [Origin("own.yaml", content)])
    options = StoreOptions(**made.store_of("own"))
    raw, store = layout.RAW / "own.json", layout.STORES / "own"
    fetch_raw("own", options, [], raw)
    build_store("own", options, raw, store, None, workers=1)
    verify_store(store, None, layout.store_record("own"), made.store_of("own"), raw)
    return made


def differences_of_store(plan):
    record = find_record(layout.store_record("own"))
    assert not record.problem
    (step,) = (step for step in expected_records(plan) if step.path == record.path)
    return list(differences(record, step))


def test_a_lock_on_a_store_as_it_is_makes_nothing_stale(plan):
    before = list(expected_records(plan))
    assert not differences_of_store(plan)
    layout.LOCK.write_text(LOCK.format(dvc_digest(layout.STORES / "own")))
    assert not differences_of_store(plan)
    assert list(expected_records(plan)) == before
    verify_store(
        layout.STORES / "own",
        dvc_digest(layout.STORES / "own"),
        layout.store_record("own"),
        plan.store_of("own"),
        layout.RAW / "own.json",
    )
    assert not differences_of_store(plan)


def test_a_lock_on_another_store_is_told(plan):
    layout.LOCK.write_text(LOCK.format("0" * 32 + ".dir"))
    assert differences_of_store(plan) == [
        f"parameters: locked was absent and is now '{'0' * 32}.dir'"
    ]
    with pytest.raises(LotusError, match=f"data.dvc locks {'0' * 32}.dir"):
        verify_store(layout.STORES / "own", "0" * 32 + ".dir", layout.store_record("own"))
