"""Damage that is mended afterwards, and what the audit says meanwhile."""

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lotus import layout
from lotus.audit.project import audit_project
from lotus.records.files import as_text, sha256
from lotus.records.index import Index, read_index
from lotus.records.seal import sealed

DIGITS = "config/digits.yaml"


def unsound():
    """Path → artifact, of all that is not verified."""
    return {it.path: it for it in audit_project().artifacts if it.status != "verified"}


@contextmanager
def mended(*files):
    """Puts files back as they were, with their times."""
    kept = {Path(file): (Path(file).read_bytes(), Path(file).stat()) for file in files}
    try:
        yield
    finally:
        for path, (content, status) in kept.items():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def rerecord(artifact, edit):
    """Changes an artifact and its record so that they agree, as somebody who knows how would."""
    record = layout.record_of(artifact)
    edit(artifact)
    content = json.loads(record.read_text())
    content["outputs"][artifact.as_posix()] = sha256(artifact)
    record.write_text(as_text(sealed(content)))
    return record


RUN = "results/digits/resnet18/seed13/class-three/corrected/ssd/run.json"
TABLE = "results/tables/digits-resnet18-class-three-corrected.csv"
OTHER_TABLE = "results/tables/digits-resnet18-instance-10-corrected.csv"


def with_record(path, edit):
    """The project's records, one of them edited as if its step had written it so."""
    index = read_index()
    content = json.loads(Path(path).read_text())
    edit(content)
    changed = replace(index.records[path], content=content)
    return Index({**index.records, path: changed})
