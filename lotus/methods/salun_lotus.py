"""SalUn+LoTUS: LoTUS, held to the weights that are salient for the forget set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lotus.config.fields import Share
from lotus.lazy_torch import nn
from lotus.methods.base import Task, register
from lotus.methods.lotus import LoTUS
from lotus.methods.salun import MaskedOptimizer, saliency_mask

RELEASED = {"mask_share": 0.1, "alpha": 2.0, "lr": 1e-4, "retain_fraction": 0.3}


@register("salun-lotus", released={"M6": RELEASED, "M8": {}, "R1": {}})
@dataclass(frozen=True)
class SalUnLoTUS(LoTUS):
    """LoTUS as the update rule under SalUn's mask.

    Loss: LoTUS's; θ changes only inside SalUn's mask. As released (M6) it is not told that a class is
        forgotten, has constants of its own, and decay moves weights outside the mask.
    Reads: what LoTUS reads; all forget images for the mask.
    Source: Spartalis et al., LoTUS, CVPR 2025, section on combining with SalUn; mask share of SalUn.
    Not for: what LoTUS is not for.
    """

    mask_share: Share = 0.5

    def _optimizer(self, task: Task, student: nn.Module) -> Any:
        with task.preparing():
            mask = saliency_mask(task, self.mask_share, self.batch_size)
        adamw = super()._optimizer(task, student)
        return MaskedOptimizer(adamw, student, mask, hold=not task.released("M6"))

    def _forgets_a_class(self, task: Task) -> bool:
        return task.class_forgetting and not task.released("M6")
