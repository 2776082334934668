"""The memory in which a workflow's jobs are done."""

import sys

import pytest

from lotus.engine import asking, warm

TELL = [sys.executable, "-c", f"import os; print(os.environ['{warm.TUNABLES}'])"]


@pytest.mark.parametrize(
    ("given", "has"),
    [
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.tcache_count=0", "glibc.malloc.tcache_count=0:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ],
)
def test_it_is_of_huge_pages_unless_the_user_says_otherwise(tmp_path, monkeypatch, given, has):
    monkeypatch.delenv(warm.TUNABLES, raising=False)
    if given is not None:
        monkeypatch.setenv(warm.TUNABLES, given)
    process = warm.WarmProcess(TELL, tmp_path / "log")
    process.start([asking.MODELS])
    process._process.wait()
    process.stop()
    assert (tmp_path / "log").read_text().strip() == has
