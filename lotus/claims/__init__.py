"""The paper's claims: stated, judged on measured numbers and on printed ones.

Uses tables and what lies below; no torch.
"""
