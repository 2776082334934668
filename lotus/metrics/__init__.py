"""What is measured: pure functions of predictions. Nothing here needs torch or a GPU.

Each module of this folder states metrics, and is found by being there: `@measures(MetricSpec(…))` above a
function of a `Case`. A metric of your own is one new file (docs/own-metric.md); `base` has what many share.
Uses predictions and what lies below.
"""
