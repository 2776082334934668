"""Metrics files that are not what one is."""

import json

import pytest

from lotus.errors import LotusError
from lotus.results.metrics_file import parse_metrics, read_metrics


def test_a_metrics_file_without_its_protocol_is_refused(write_metrics):
    path = write_metrics("corrected", 1)
    content = json.loads(path.read_text())
    del content["protocol"]
    path.write_text(json.dumps(content))
    with pytest.raises(LotusError, match="is not a metrics file: it lacks protocol"):
        read_metrics(path)


def test_a_metrics_file_without_rows_is_refused(write_metrics):
    path = write_metrics("corrected", 1)
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": {}}))
    with pytest.raises(LotusError, match="is not a metrics file: rows is empty"):
        read_metrics(path)


def test_only_who_reads_numbers_asks_for_all_metrics(write_metrics):
    """Older files had fewer: they are told of as they are, and made anew before they are read."""
    path = write_metrics("corrected", 1)
    content = json.loads(path.read_text())
    del content["rows"]["gold"]["mia"]
    path.write_text(json.dumps(content))
    assert "mia" not in parse_metrics(path, path.read_bytes())["rows"]["gold"]
    with pytest.raises(LotusError, match=r"is not a metrics file: rows\.gold lacks mia$"):
        read_metrics(path)
