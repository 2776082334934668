"""Any file that is read from outside is read, or refused in one line that names it."""

import json
import os
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from fuzzing import inputs, result_or_error
from hypothesis import given, note
from mutations import (
    CHANCE,
    OF_YAML,
    as_json,
    as_yaml,
    damaged_bytes,
    encoded,
    mutated,
    mutated_arrays,
    spliced,
)
from nonsense import copy_of
from valid_files import valid_files

from lotus.records.files import as_text
from lotus.records.seal import sealed


@pytest.fixture(scope="module")
def project(template):
    """A small project, and all valid files of `valid_files` in it."""
    with copy_of(template):
        files = valid_files(Path())
        for file in files:
            Path(file.path).parent.mkdir(parents=True, exist_ok=True)
            Path(file.path).write_bytes(bytes_of(file.content, file.sort))
        yield Path.cwd(), {file.path: file for file in files}


def bytes_of(content, sort, chance=None):
    """A file's bytes; with `chance` as some other program would write them."""
    if isinstance(content, bytes):
        return content
    if sort == "npz":
        path = Path("draft.npz")
        np.savez(path, **content)
        return path.read_bytes()
    if sort == "json":
        return as_json(content, chance) if chance else as_text(content).encode()
    return encoded(as_yaml(content, chance), chance) if chance else json.dumps(content).encode()


def changed(file, chance):
    """The bytes of a file with something wrong."""
    content = file.content
    if isinstance(content, bytes) or chance.random() < 0.2:
        whole = bytes_of(content, file.sort)
        if file.sort == "npz" or chance.random() < 0.3:
            return damaged_bytes(whole, chance)
        return encoded(spliced(whole.decode(), chance), chance)
    if file.sort == "npz":
        return bytes_of(mutated_arrays(content, chance), "npz")
    if file.sort != "json":
        return bytes_of(mutated(content, chance, OF_YAML), file.sort, chance)
    content = mutated(content, chance)
    if isinstance(content, dict) and "digest" in file.content and chance.random() < 0.8:
        try:
            # With a digest of its own again, as somebody could write it who knows how.
            return as_text(sealed(content)).encode()
        except (ValueError, TypeError):
            pass
    return bytes_of(content, "json", chance)


def read_or_refused(project, chance, wanted):
    folder, files = project
    with chdir(folder):
        file = files[chance.choice([path for path, each in files.items() if wanted(each)])]
        content = changed(file, chance)
        note(f"{file.path}: {content[:3000]!r}")
        path = Path(file.path)
        path.write_bytes(content)
        before = sorted(folder.rglob("*"))
        try:
            for reader in file.readers:
                result_or_error(lambda reader=reader: reader(path))
            assert sorted(folder.rglob("*")) == before
        finally:
            path.write_bytes(bytes_of(file.content, file.sort))


RECORDS = ("run.json", "m.json")


def test_the_files_are_valid(project):
    folder, files = project
    with chdir(folder):
        for file in files.values():
            for reader in file.readers:
                found = reader(Path(file.path))
                assert not getattr(found, "problem", ""), (file.path, found)


@inputs(0.15)
@given(CHANCE)
def test_records_and_metrics(project, chance):
    read_or_refused(project, chance, lambda file: os.path.basename(file.path) in RECORDS)


@inputs(0.2)
@given(CHANCE)
def test_other_files_of_a_project(project, chance):
    read_or_refused(
        project,
        chance,
        lambda file: file.sort != "npz" and os.path.basename(file.path) not in RECORDS,
    )


@inputs(0.1)
@given(CHANCE)
def test_predictions_scores_and_maps(project, chance):
    read_or_refused(project, chance, lambda file: file.sort == "npz")
