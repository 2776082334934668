"""Lines of attacks: also where an attack could not be run, with the models that collapsed."""

import json

import pandas as pd
import pytest
from metrics_files import PLACE

from lotus.results.attack_lines import every_attack, klom_lines
from lotus.tables.attacks import attacks as attacks_table
from lotus.tables.klom import klom as klom_table

RAN = {
    **{"auc": 0.6, "auc_low": 0.5, "auc_high": 0.7},
    **{"tpr_at_1_fpr": None, "tpr_low": None, "tpr_high": None, "finest_fpr": 0.02},
    **{"images": 40, "others": 50, "left_out": 0, "reference_models": 2},
    **{"seeds": {"1": 0.6, "3": 0.6}, "why": "50 images resolve 2 % at best"},
}
ALONE = {"auc": None, "why": "no other seed's gold"}
KLOM = {"median": 0.1, "high": 0.3, "floor": 0.2, "images": 40, "models": 10}


@pytest.fixture
def source(tmp_path):
    """SalUn collapsed in seed 2, SSD in all; LiRA found no other models for the original."""
    content = {
        **{**PLACE, "protocol": "corrected", "fpr": 0.01, "forgets_a_class": False},
        "collapsed": {"salun": {"2": "near chance"}, "ssd": dict.fromkeys("123", "near chance")},
        "rows": {
            "original": {"loss": RAN, "lira-offline": ALONE},
            "salun": {"loss": RAN, "lira-offline": RAN},
            "ssd": {},
        },
        "klom": {"salun": KLOM, "original": KLOM},
        "predictions": [],
    }
    path = tmp_path / "attacks.json"
    path.write_text(json.dumps(content))
    return path


def test_every_row_and_attack_has_a_line_and_where_it_lacks_numbers_the_reason(source):
    lines = every_attack([source])
    assert lines[["row", "attack"]].values.tolist() == [
        [row, attack] for row in ("original", "salun", "ssd") for attack in ("loss", "lira-offline")
    ]
    found = lines.set_index(["row", "attack"])
    assert found["why"].tolist() == [
        *(RAN["why"], "no other seed's gold", RAN["why"], RAN["why"]),
        *["every model of this row collapsed"] * 2,
    ]
    empty = found.loc[found["auc"].isna()]
    assert empty.index.tolist() == [
        *(("original", "lira-offline"), ("ssd", "loss"), ("ssd", "lira-offline"))
    ]
    assert empty[["auc_low", "tpr_high", "images", "reference_models"]].isna().all(axis=None)
    assert found["seeds"].tolist() == [2, 0, 2, 2, 0, 0]
    assert (found[["dataset", "protocol"]] == ["data", "corrected"]).all(axis=None)


def test_collapsed_models_are_counted_and_named_beside_attacks_and_klom(source):
    by_row = every_attack([source]).drop_duplicates("row").set_index("row")
    assert by_row["collapsed"].to_dict() == {"original": 0, "salun": 1, "ssd": 3}
    assert by_row["collapsed_seeds"].to_dict() == {
        **{"original": "", "salun": "seed 2", "ssd": "seeds 1, 2 and 3"}
    }
    klom = klom_lines([source]).set_index("row")
    assert klom["collapsed"].to_dict() == {"salun": 1, "original": 0}
    assert klom["collapsed_seeds"].to_dict() == {"salun": "seed 2", "original": ""}
    assert "SalUn (without seed 2, collapsed) & 0.10" in klom_table([source])[1]


def test_the_table_of_attacks_keeps_whole_numbers_whole(source, tmp_path):
    numbers, latex = attacks_table([source])
    text = numbers.to_csv(index=False)
    assert ",0.02,50,0,2," in text
    assert "SSD (without seeds 1, 2 and 3, collapsed) & -- & --" in latex
    assert "Original (nothing done) & 0.600 (0.500 to 0.700) & --" in latex


def test_of_no_files_there_are_the_columns_and_no_lines():
    assert {"row", "auc", "why"} <= {*every_attack([])}
    assert isinstance(klom_lines([]), pd.DataFrame)
