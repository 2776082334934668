"""The paper's own numbers, and what was measured beside them.

Uses results and what lies below; no torch.
"""
