"""How attacks are found: each module of `lotus/attacks` states one as `SPEC`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from lotus import attacks
from lotus.attacks.base.spec import AttackSpec
from lotus.errors import LotusError

NO_ATTACKS = frozenset({"base"})
"""Modules of that folder that state none."""


@cache
def specs() -> Mapping[str, AttackSpec]:
    """Name → attack, in the order of tables.

    Raises:
        LotusError: a file of `lotus/attacks` states none, or one of another name; names the file.

    """
    names = sorted({m.name for m in pkgutil.iter_modules(attacks.__path__)} - NO_ATTACKS)
    found = [_stated(name) for name in names]
    return {spec.name: spec for spec in sorted(found, key=lambda spec: (spec.place, spec.name))}


def _stated(name: str) -> AttackSpec:
    file = f"lotus/attacks/{name}.py"
    try:
        # The name is put together in the call: so the identity of code sees that any attack can be meant.
        spec = getattr(importlib.import_module(f"lotus.attacks.{name}"), "SPEC", None)
    except LotusError as error:
        raise LotusError(f"{file}: {error}") from error
    if not isinstance(spec, AttackSpec):
        raise LotusError(f"{file}: states no attack: give it SPEC = AttackSpec(…)")
    if spec.name != name.replace("_", "-"):
        raise LotusError(
            f"{file}: states the attack '{spec.name}'; accepted: '{name.replace('_', '-')}', as its file"
        )
    return spec
