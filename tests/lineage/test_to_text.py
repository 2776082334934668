"""The tree as text and as JSON."""

from built_by_hand import METRICS_FILE, SEED, TABLE, tree_of

from lotus.lineage import to_json as tree_json
from lotus.lineage import to_text as tree_text
from lotus.records.files import sha256


def test_depth_limits_what_is_hashed_and_shown(project):
    deep = project / f"{SEED}/instance-10/corrected/lotus/model.safetensors"
    deep.write_text("other")
    for depth, count in ((0, 1), (1, 2), (2, 6)):
        tree = tree_of(TABLE, depth)
        assert len(tree.nodes) == count
        assert tree.problems == []
        text = list(tree_text.lines(tree, depth))
        assert any("below" in line for line in text)
    assert list(tree_of(TABLE, 1).nodes) == [TABLE, METRICS_FILE]
    assert tree_of(TABLE, 3).problems


def test_text_tells_shared_parts_once_and_the_facts_of_each_step(project):
    text = list(tree_text.lines(tree_of(TABLE)))
    store = [line for line in text if "data/stores/tiny  " in line]
    assert len([line for line in store if "(above)" not in line]) == 1
    assert len(store) > 3
    joined = "\n".join(text)
    for said in (
        "predictions of LoTUS, tiny, ResNet18, 10 % forgotten, corrected, seed 1",
        "model of gold, tiny, ResNet18, 10 % forgotten, corrected, seed 1",
        "parameters: alpha=2",
        "environment A: python ",
        sha256(project / TABLE)[:12],
        "The chain is complete: ",
    ):
        assert said in joined
    brief = list(tree_text.lines(tree_of(TABLE), is_brief=True))
    assert len(brief) < len(text) / 2
    assert "parameters" not in "\n".join(brief)


def test_json_has_every_node_once_with_full_digests(project):
    told = tree_json.as_json(tree_of(TABLE))
    assert told["ok"] is True
    node = told["nodes"][f"{SEED}/instance-10/corrected/lotus/model.safetensors"]
    assert node["digest"] == sha256(
        project / node["record"]["path"].replace("run.json", "model.safetensors")
    )
    assert node["settings"] == {"alpha": 2}
    assert node["about"]["seed"] == 1
    assert told["environments"][node["environment"]]["python"]
    assert {"step", "commit", "dirty"} == set(node["code"])
