"""What sources come to is kept between commands, and believed only where it can be."""

import json

import pytest

from lotus.records import code_identity, kept_sources, sources
from lotus.records.kept_sources import read_ahead_by_memory
from lotus.records.sources import source_of

FEW = dict(list(code_identity.sources_of_package().items())[:12])


@pytest.fixture
def package(monkeypatch):
    """A package of few sources, which a test may change; none of them was met yet."""
    found = dict(FEW)
    for module in (code_identity, kept_sources):
        monkeypatch.setattr(module, "sources_of_package", lambda: found)
    for module in (sources, kept_sources):
        monkeypatch.setattr(module, "MET", MET)
    forget()
    yield found
    forget()


MET = {}


def forget():
    MET.clear()
    source_of.cache_clear()


@pytest.fixture
def cache(package, tmp_path):
    return tmp_path / ".lotus/sources.json"


@pytest.fixture
def looked_into(monkeypatch):
    """Sources that were looked into, not remembered."""
    found = []
    really = sources._look_into
    monkeypatch.setattr(sources, "_look_into", lambda text: found.append(text) or really(text))
    return found


def test_the_next_command_looks_into_nothing_and_finds_the_same(cache, looked_into):
    read_ahead_by_memory(cache)
    first = [source_of(text) for text in FEW.values()]
    assert len(looked_into) == len(FEW)
    assert any(source.imports for source in first)
    looked_into.clear()
    forget()
    read_ahead_by_memory(cache)
    assert [source_of(text) for text in FEW.values()] == first
    assert looked_into == []


def test_only_a_source_that_changed_is_looked_into(package, cache, looked_into):
    read_ahead_by_memory(cache)
    looked_into.clear()
    forget()
    name = min(package)
    package[name] += b"\nADDED = 1\n"
    read_ahead_by_memory(cache)
    assert looked_into == [package[name]]
    # What is no source any more is not kept for ever.
    assert len(json.loads(cache.read_text())["known"]) == len(package)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-40],
        lambda text: "[]",
        lambda text: text.replace('"digest":"', '"digest":7,"was":"', 1),
        lambda text: text.replace('"reads_docs":false', '"reads_docs":"no"'),
        lambda text: text.replace('"rules":"', '"rules":"0'),
    ],
)
def test_what_is_not_as_it_was_written_is_not_taken_over(cache, looked_into, damage):
    read_ahead_by_memory(cache)
    right = cache.read_text()
    damaged = damage(right)
    assert damaged != right
    cache.write_text(damaged)
    looked_into.clear()
    forget()
    read_ahead_by_memory(cache)
    assert len(looked_into) == len(FEW)
    assert cache.read_text() == right


def test_a_project_that_can_only_be_read_is_read_all_the_same(cache, looked_into):
    cache.parent.write_text("a file where the folder would be")
    read_ahead_by_memory(cache)
    assert len(looked_into) == len(FEW)
