"""Membership attacks on models that forgot: pure functions of predictions, each in a file of its own.

Each module of this folder states an attack as `SPEC`, and is found by being there. An attack of your own is
one new file (docs/attacks.md); `base` has what many share. Uses metrics and what lies below; no torch.
"""
