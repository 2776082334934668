"""Sources of Python modules: which modules they import, and what of them counts. Read, never executed."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lotus.records.syntax import (
    ANNOTATION_READERS,
    DOC_READERS,
    names,
    nodes_that_run,
    parse,
    tree_digest,
)

_CAN_IMPORT = (ast.Import, ast.ImportFrom, ast.Call, ast.Assign)
IMPORTERS = ("import_module", "__import__")
"""Functions that import the module that they are given the name of."""


@dataclass(frozen=True)
class Import:
    """One import: `from ..module import names`.

    Attributes:
        level: the number of dots, 0 for an absolute name.
        module: what stands behind them; may be empty.
        names: what is imported of it: each can be a module of its own.
        of_any: the import is of a module of this package whose name is only known when it runs.

    """

    level: int
    module: str
    names: tuple[str, ...] = ()
    of_any: bool = False

    def modules(self, by: str, is_package: bool) -> Iterator[str]:
        """Yields the modules that this may be, where module `by` says it."""
        base = self.module
        if self.level:
            parts = by.split(".")
            above = parts[: len(parts) - self.level + is_package]
            if not above:
                # Beyond the outermost package; an error when it runs.
                return
            base = ".".join([*above, *filter(None, [self.module])])
        yield base
        yield from (f"{base}.{name}" for name in self.names)


@dataclass(frozen=True)
class ModuleSource:
    """A source, as far as it counts: its digest and its imports.

    Attributes:
        digest: sha256 of what counts of its syntax; of its bytes if it has none.
        imports: everything that it may import, also inside functions.
        reads_docs: whether it names something by which docstrings are read.
        reads_annotations: whether it names something by which annotations of functions are read.

    """

    digest: str
    imports: tuple[Import, ...]
    reads_docs: bool
    reads_annotations: bool


MET: dict[str, ModuleSource] = {}
"""sha256 of a source → what it comes to: of each that this process met, or was told of."""


@cache
def source_of(text: bytes) -> ModuleSource:
    """Returns what a source comes to. A source that was met before costs nothing."""
    key = sha256_of(text)
    if key not in MET:
        MET[key] = _look_into(text)
    return MET[key]


def sha256_of(text: bytes) -> str:
    """Returns the key of a source in `MET`."""
    return hashlib.sha256(text).hexdigest()


def _look_into(text: bytes) -> ModuleSource:
    tree = parse(text)
    if tree is None:
        return ModuleSource(_of_bytes(text), (), False, False)
    nodes = list(nodes_that_run(tree))
    named = names(nodes)
    importing = [node for node in nodes if isinstance(node, _CAN_IMPORT)]
    return ModuleSource(
        digest=tree_digest(tree),
        imports=tuple(dict.fromkeys(found for node in importing for found in _imports(node))),
        reads_docs=not DOC_READERS.isdisjoint(named),
        reads_annotations=not ANNOTATION_READERS.isdisjoint(named),
    )


@cache
def full_digest(text: bytes, docs: bool, annotations: bool) -> str:
    """Returns `ModuleSource.digest` with docstrings or annotations, where a program reads them."""
    tree = parse(text)
    return _of_bytes(text) if tree is None else tree_digest(tree, docs, annotations)


def _of_bytes(text: bytes) -> str:
    return hashlib.sha256(b"no syntax\0" + text).hexdigest()


def _imports(node: ast.AST) -> Iterator[Import]:
    match node:
        case ast.Import(names=aliases):
            yield from (Import(0, alias.name) for alias in aliases)
        case ast.ImportFrom(level=level, module=module, names=aliases):
            yield Import(level, module or "", tuple(alias.name for alias in aliases))
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)):
            if called in IMPORTERS:
                yield from _called(node.args, node.keywords)
        case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as listed):
            # `from package import *` imports the modules that are listed there.
            texts = (item.value for item in listed.elts if isinstance(item, ast.Constant))
            yield Import(1, "", tuple(text for text in texts if isinstance(text, str)))


def _called(given: Sequence[ast.expr], named: Sequence[ast.keyword]) -> Iterator[Import]:
    """Returns what `import_module("name")` or `import_module(f"package.{name}")` imports."""
    first = [*given[:1], *(key.value for key in named if key.arg == "name")]
    for node in first[:1]:
        match node:
            case ast.Constant(value=str() as text):
                yield _relative(text)
            case ast.JoinedStr(values=[ast.Constant(value=str() as text), ast.FormattedValue()]):
                if text.endswith("."):
                    yield replace(_relative(text[:-1]), of_any=True)


def _relative(text: str) -> Import:
    name = text.lstrip(".")
    return Import(len(text) - len(name), name)
