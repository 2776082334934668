"""LoTUS reproduced: machine unlearning whose every number can be traced to the bytes it came from.

Imports point down, room by room: `tests/test_architecture.py` lists the floors. Everything right of the
predictions (metrics, results, tables, figures, claims, page) runs without torch.
"""
