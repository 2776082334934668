"""What attacks are made of: their spec, what an attacker knows, and how success is measured.

Uses metrics, predictions and what lies below; no torch.
"""

from lotus.attacks.base.known import Known, References
from lotus.attacks.base.spec import AttackSpec

__all__ = ["AttackSpec", "Known", "References"]
