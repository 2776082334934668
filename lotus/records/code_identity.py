"""The identity of the code that a step runs: a digest of the syntax of all modules that it can reach.

What counts of a source is said in `lotus.records.syntax`: other docstrings, comments, line breaks and
annotations change no digest. Docstrings count for the steps that reach a module which reads docstrings as
it runs, and annotations of functions likewise; no step of this package does either.
"""

import gc
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lotus.records.local_modules import Module, find_module, is_local, modules_below
from lotus.records.sources import ModuleSource, full_digest, source_of
from lotus.surroundings import PACKAGE

BOOKKEEPING = frozenset(
    f"{PACKAGE}.records.{name}"
    for name in ("code_identity", "environment", "local_modules", "sources", "syntax")
)
"""Modules that say in a record by what a step was run. No result depends on them, so they are not followed:
else a change here would have every model trained anew."""


def code_digest(*modules: str, root: Path | None = None, folders: tuple[Path, ...] = ()) -> str:
    """Returns a digest of the syntax of `modules` and of every local module that they import.

    Local are the modules of this package, and all that lie neither in Python's own folders nor in those of
    installed libraries: a user's plug-in, and what lies beside it. Imports are read, not executed, so that
    a plan can be made without loading torch; an import inside a function counts too. So does one of a name
    that is put together, `import_module(f"package.{name}")`: as one of every module of that package. Other
    modules that are found at run time (methods, data sources) have to be named.

    Args:
        root: folder with the package that is meant; the package that runs unless given.
        folders: where plug-ins lie that were not imported, so that Python itself does not find them.

    Returns:
        16 hexadecimal digits.

    """
    return identify(*modules, root=root, folders=folders).step


def module_digests(
    *modules: str, root: Path | None = None, folders: tuple[Path, ...] = ()
) -> dict[str, str]:
    """Returns module → digest (12 hexadecimal digits) of its syntax, of all that `code_digest` covers."""
    return identify(*modules, root=root, folders=folders).modules


@dataclass(frozen=True)
class CodeIdentity:
    """The answers of `code_digest` and `module_digests` on the same modules."""

    step: str
    modules: dict[str, str]


def identify(
    *modules: str, root: Path | None = None, folders: tuple[Path, ...] = ()
) -> CodeIdentity:
    """Returns both digests of what a step can reach, whose modules are walked once for it."""
    digest, found = hashlib.sha256(), _digests(modules, root, folders)
    for name, of_module in found.items():
        digest.update(f"{name}\0{of_module}\n".encode())
    shortened = {name: of_module[:12] for name, of_module in found.items()}
    return CodeIdentity(digest.hexdigest()[:16], shortened)


@dataclass(frozen=True)
class Reach:
    """The modules that a step can reach.

    Attributes:
        texts: module → source, by name.
        reads_docs: whether one of them reads docstrings as it runs.
        reads_annotations: whether one of them reads annotations of functions as it runs.

    """

    texts: Mapping[str, bytes]
    reads_docs: bool
    reads_annotations: bool


def reach(*modules: str, root: Path | None = None, folders: tuple[Path, ...] = ()) -> Reach:
    """Returns what `modules` can reach, themselves included: module → source."""
    # Packages that are named count even where they are installed as libraries are.
    own = frozenset((PACKAGE, *(name.partition(".")[0] for name in modules)))
    texts: dict[str, bytes] = {}
    sources: list[ModuleSource] = []
    seen: set[str] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        top = name.partition(".")[0]
        is_followed = name in modules or (
            name not in BOOKKEEPING and (top in own or is_local(top, folders))
        )
        if name in seen or not is_followed:
            continue
        seen.add(name)
        if "." in name:
            # Python runs the `__init__.py` of a package before any module in it.
            queue.append(name.rpartition(".")[0])
        found = find_module(name, root, folders)
        text = _text_of(found) if found is not None else None
        if found is None or text is None:
            # A name that is imported from a module, say.
            continue
        source = source_of(text)
        texts[name] = text
        sources.append(source)
        for one in source.imports:
            for module in one.modules(name, found.is_package):
                queue += [module, *(modules_below(module, root) if one.of_any else ())]
    return Reach(
        dict(sorted(texts.items())),
        reads_docs=any(source.reads_docs for source in sources),
        reads_annotations=any(source.reads_annotations for source in sources),
    )


@cache
def _text_of(module: Module) -> bytes | None:
    if module.file is None:
        return None
    try:
        return module.file.read_bytes()
    except OSError:
        return None


def _digests(
    modules: Sequence[str], root: Path | None, folders: tuple[Path, ...]
) -> dict[str, str]:
    """Returns module → digest of what counts of it, by name."""
    found = reach(*modules, root=root, folders=folders)
    if not (found.reads_docs or found.reads_annotations):
        return {name: source_of(text).digest for name, text in found.texts.items()}
    read = (found.reads_docs, found.reads_annotations)
    return {name: full_digest(text, *read) for name, text in found.texts.items()}


def read_ahead() -> None:
    """Reads all sources of the package, so that processes forked from this one need not.

    They still look at each file: a source that is another one by then is read anew.
    """
    # Trees are hundreds of thousands of objects, at which Python's collector would look again and again.
    collects = gc.isenabled()
    gc.disable()
    try:
        for text in sources_of_package().values():
            source_of(text)
    finally:
        if collects:
            gc.enable()


@cache
def package_digest() -> str:
    """Returns a digest of the bytes of all sources of the package, comments included.

    It names the copy that ran, for information alone; a step depends on `code_digest`.
    """
    digest = hashlib.sha256()
    for name, text in sources_of_package().items():
        digest.update(f"{name}\0".encode() + text)
    return digest.hexdigest()[:16]


def sources_of_package() -> dict[str, bytes]:
    """Returns path below the package → source, of all modules of this package."""
    root = Path(__file__).parents[1]
    files = sorted(root.rglob("*.py"))
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}
