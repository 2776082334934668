"""LoTUS reproduced: machine unlearning whose every number can be traced to the bytes it came from.

Imports point down: cli → paper → methods, metrics → training, predictions, lineage → data, models →
settings, provenance. Everything right of the predictions (metrics, paper) runs without torch.
"""
