"""A forger who knows the form of records: after a change all digests are made anew, in order."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lotus.audit.audit import audit
from lotus.predictions import predictions_file
from lotus.records.files import as_text, sha256
from lotus.records.index import read_index
from lotus.records.ledger import record_files
from lotus.records.seal import identity, sealed


def record_anew():
    """Writes digests and identities of what was changed into all records, until they agree.

    Seals too, and the ledger, which is a record of all others.
    """
    texts = {path: path.read_bytes() for path in record_files()}
    records = {path: json.loads(text) for path, text in texts.items()}
    before = dict(texts)

    @cache
    def of_other(path):
        """What is no record stays as it is meanwhile."""
        return sha256(path) if path.is_file() else None

    def digest(name):
        path = Path(name)
        return hashlib.sha256(texts[path]).hexdigest() if path in texts else of_other(path)

    is_settled = False
    while not is_settled:
        is_settled = True
        for path, content in records.items():
            for side in (content["inputs"], content["outputs"]):
                side.update({name: now for name in side if (now := digest(name)) is not None})
            chain = content["records"]
            chain.update({name: identity(records[Path(name)]) for name in chain})
            text = as_text(sealed(content)).encode()
            is_settled = is_settled and text == texts[path]
            records[path], texts[path] = json.loads(text), text
    for path, text in texts.items():
        if text != before[path]:
            path.write_bytes(text)


def edit_record(path, change):
    """Changes a record, and seals it."""
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(as_text(sealed(content)))


def edit_json(path, change):
    """Changes a JSON file."""
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(json.dumps(content))


def edit_arrays(path, change):
    """Changes the arrays of a `.npz` file, a dictionary."""
    with np.load(path) as arrays:
        content = dict(arrays.items())
    change(content)
    with Path(path).open("wb") as file:
        np.savez(file, **content)


def name_predictions_anew(metrics):
    """Makes metrics, or what attacks found, name the predictions that are there, as if made of them."""

    def change(content):
        of_rows = content["predictions"]
        for named in of_rows.values() if isinstance(of_rows, dict) else of_rows:
            named["sha256"] = sha256(Path(named["path"]))

    edit_json(metrics, change)


def exchange(one, other):
    """Has two files or folders change places."""
    aside = Path(f"{one}.aside")
    for source, target in ((one, aside), (other, one), (aside, other)):
        Path(source).rename(target)


def declare_collapsed(path, reason):
    """Makes predictions say that their model is of no use."""
    predictions_file.save(path, predictions_file.load(path), reason)


def moved(record, folder):
    """Puts a record of a run, and what it states, into another folder."""
    record["path"] = f"{folder}/run.json"
    record["outputs"] = {f"{folder}/{Path(it).name}": "" for it in record["outputs"]}


def deal_anew(parts):
    """Deals the images of some parts of predictions into the same parts, otherwise composed."""

    def change(arrays):
        all_of = {
            name: np.concatenate([arrays[f"{part}.{name}"] for part in parts])
            for name in ("indices", "labels", "logits")
        }
        for part, images in parts.items():
            chosen = np.isin(all_of["indices"], images)
            arrays |= {f"{part}.{name}": values[chosen] for name, values in all_of.items()}

    return change


def git(*command):
    """Runs git as somebody who has a name."""
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *author, *command], check=True, capture_output=True)


def commit(*names):
    """Commits files, ignored ones too."""
    git("add", "--force", *names)
    git("commit", "--quiet", "--message", "x")


def look(full=False):
    """What the audit says of the records alone."""
    return audit(read_index(), [], full)


class Forgery(NamedTuple):
    """What is forged, how the audit looks at it, and whether it is committed then."""

    forge: Callable
    look: Callable
    is_committed: bool


FORGERIES = {}


def forgery(what, look=look, is_committed=True):
    """Names a function that forges; it returns the place and the words by which that is to be seen."""

    def named(function):
        FORGERIES[what] = Forgery(function, look, is_committed)
        return function

    return named
