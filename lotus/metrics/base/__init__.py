"""What a metric is given, what it says of itself, and how it is found.

A metric is a function of a model's predictions, with what readers and other code are to know of it:

    @measures(MetricSpec(name="forget_entropy", label="Forget entropy", unit="nats"))
    def forget_entropy(case: Case) -> float: ...

A file of `lotus/metrics` is found by itself (docs/own-metric.md).
"""

from lotus.metrics.base.family import Case, measures
from lotus.metrics.base.spec import AsReleased, MetricSpec

__all__ = ["AsReleased", "Case", "MetricSpec", "measures"]
