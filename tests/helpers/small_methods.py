"""Every method with small hyper-parameters."""

from dataclasses import fields

import pytest

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods.base import configured, registry

NAMES = registry.available()
SMALL = {
    **{"epochs": 2, "passes": 2, "rounds": 2, "batch_size": 8, "forget_batch_size": 8},
    **{"class_batch_size": 8, "class_copies": 2, "class_noise_steps": 2},
}
# SSD selects next to nothing at a forget share of a quarter.
OF_METHOD = {"ssd": {"alpha": 1.0}}

every_method = pytest.mark.parametrize("name", NAMES)
both_protocols = pytest.mark.parametrize("protocol", [CORRECTED, RELEASED], ids=lambda p: p.name)


def of_method(name, protocol, given=SMALL):
    """Small hyper-parameters, as far as the method has them."""
    known = {field.name for field in fields(registry.method_class(name))}
    chosen = registry.constants(name, protocol) | given | OF_METHOD.get(name, {})
    return configured.make(name, {key: value for key, value in chosen.items() if key in known})
