"""docs/attacks.md: its attack works as it is written, and its table names every attack and column."""

import re

import numpy as np
from project import ROOT

from lotus.attacks.base import AttackSpec, Known, registry
from lotus.results.attacks import BESIDE, NUMBERS

PAGE = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")


def test_the_attack_of_the_page_is_one():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    module = {}
    exec(code, module)
    spec = module["SPEC"]
    assert isinstance(spec, AttackSpec)
    logits = np.array([[0.0, 0.0], [3.0, 0.0]])
    flat, sure = spec.score(Known(logits, np.array([0, 0])))
    assert flat == np.log(0.5) < sure < 0


def test_the_page_names_every_attack_and_column():
    for name in registry.specs():
        assert f"| `{name}` |" in PAGE
    for name in (*NUMBERS, *BESIDE, "seeds", "why"):
        assert f"`{name}`" in PAGE
