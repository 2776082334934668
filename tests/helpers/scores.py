"""Rows of metrics files."""

from lotus.metrics.base import registry


def row_of_metrics(**given):
    """A row in which everything that is not given is undefined, and the model sound."""
    state = {"same_as_original": False, "collapsed": ""}
    assert not given.keys() - {*registry.columns(), *state}
    return {**dict.fromkeys(registry.columns()), **state, **given}
