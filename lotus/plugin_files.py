"""Python files of users: found by their names, and imported where their code is to be run."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from lotus.errors import LotusError
from lotus.names import shown


def folders_of(plugins: Sequence[str]) -> tuple[Path, ...]:
    """Returns where the modules of plug-ins are looked for besides Python's own folders."""
    # In the order in which an import searches them, so that the same modules are found.
    files = [Path(plugin).parent.absolute() for plugin in plugins if plugin.endswith(".py")]
    return tuple(dict.fromkeys([Path.cwd(), *files]))


def modules_of(plugins: Sequence[str]) -> tuple[str, ...]:
    """Returns the names by which plug-ins are imported."""
    return tuple(Path(it).stem if it.endswith(".py") else it for it in plugins)


def import_plugin(
    plugin: str, accepted: str = "the path of a Python file, or the name of an installed module"
) -> ModuleType:
    """Imports a file (`my_method.py`) or module (`my_package.methods`); what it prints goes to stderr.

    Args:
        accepted: what the configuration takes in this place, for the message.

    Raises:
        LotusError: it cannot be imported, or its name hides another module.

    """
    if plugin.endswith(".py"):
        _make_known(Path(plugin))
    (module,) = modules_of([plugin])
    try:
        with redirect_stdout(sys.stderr):
            return importlib.import_module(module)
    except LotusError as error:
        raise LotusError(f"plugin '{shown(plugin)}': {error}") from error
    # Also what ends a process: of a plugin it is a mistake like others.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _is_raised(error):
            raise
        raise LotusError(
            f"plugin '{shown(plugin)}': cannot be imported: {said(error, module)}; accepted: {accepted}"
        ) from error


def said(error: BaseException, module: str) -> str:
    """Returns in one line what went wrong, with the last line of the plug-in that had a part in it."""
    what = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        what = f"it ended the process (exit code {error.code})"
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame.lineno for frame in frames if Path(frame.filename).stem == module.split(".")[-1]]
    line = f" (line {mine[-1]})" if mine and not isinstance(error, SyntaxError) else ""
    return f"{type(error).__name__}: {what}{line}"


def _make_known(path: Path) -> None:
    """Puts the folder of a file where modules are looked for, so that it is found by its name.

    By name, so that the digest of the code finds it too, and modules beside it.

    Raises:
        LotusError: there is no such file, or another module has its name.

    """
    if not path.is_file():
        raise LotusError(
            f"plugin '{shown(path)}': there is no such file; looked in {shown(Path.cwd())}"
        )
    name, folder = path.stem, str(path.parent.resolve())
    if "." in name:
        other = name.replace(".", "_")
        raise LotusError(
            f"plugin '{shown(path)}': Python takes the part before a dot for a package; name "
            f"the file {other}.py"
        )
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
    there = _origin(name)
    if there is None or Path(there).resolve() != path.resolve():
        raise LotusError(
            f"plugin '{shown(path)}': {shown(there or name)} already has this name; give it another"
        )


def _origin(name: str) -> str | None:
    """File of the module that an import of this name gives; None: it has none."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None)
    spec = importlib.util.find_spec(name)
    return spec.origin if spec is not None and spec.has_location else None


def _is_raised(error: BaseException) -> bool:
    """Whether code raised this itself: it did not come from the keyboard."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and (frames[-1].line or "").startswith("raise")
