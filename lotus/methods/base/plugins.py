"""Files and modules of users that register methods of their own."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from lotus.errors import LotusError
from lotus.methods.base import configured, registry
from lotus.methods.base.read_plugins import modules_of
from lotus.names import shown


def load_plugins(plugins: Sequence[str]) -> tuple[str, ...]:
    """Imports the files (`my_method.py`) and modules (`my_package.methods`) that register methods.

    What they print goes to the standard error.

    Returns:
        Their names as modules: they belong to the code of every step that runs under them, whether or not
        they register anything, since what is imported can change whatever it likes.

    Raises:
        LotusError: one cannot be imported, its name hides another module, it is a file that registers no
            method, or one of its methods cannot be configured.

    """
    for plugin in plugins:
        with registry.registering() as before, redirect_stdout(sys.stderr):
            _load(plugin)
            for name in registry.registered() - before:
                try:
                    configured.check_fields(name)
                except LotusError as error:
                    raise LotusError(f"plugin '{shown(plugin)}': {error}") from error
    return modules_of(plugins)


def plugins_for(method: str, plugins: Sequence[str]) -> tuple[str, ...]:
    """Returns the plug-ins that a run of a method loads: its own, and those that register no method.

    One that registers other methods alone is left out, so that a change of it reruns these alone. One that
    registers none is there for what it does to any method.

    Args:
        plugins: as the configuration names them, loaded.

    """
    return tuple(
        plugin
        for plugin, module in zip(plugins, modules_of(plugins), strict=True)
        if method in (own := _registered_by(module)) or not own
    )


def _registered_by(module: str) -> set[str]:
    """Returns the methods whose classes stand in a module, or in one below it."""
    return {
        name
        for name, entry in registry.entries.items()
        if entry.cls.__module__ == module or entry.cls.__module__.startswith(f"{module}.")
    }


def _load(plugin: str) -> None:
    if plugin.endswith(".py"):
        _make_known(Path(plugin))
    (module,) = modules_of([plugin])
    is_new, before = module not in sys.modules, registry.registered()
    try:
        importlib.import_module(module)
    except LotusError as error:
        raise LotusError(f"plugin '{shown(plugin)}': {error}") from error
    # Also what ends a process: of a plugin it is a mistake like others.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _is_raised(error):
            raise
        raise LotusError(
            f"plugin '{shown(plugin)}': cannot be imported: {_said(error, module)}; accepted: the path of "
            "a Python file, or the name of an installed module"
        ) from error
    if plugin.endswith(".py") and is_new and registry.registered() == before:
        raise LotusError(
            f"plugin '{shown(plugin)}': registers no method: put `@register('name')` of "
            "lotus.methods.base above one of its classes"
        )


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


def _said(error: BaseException, module: str) -> str:
    """Returns in one line what went wrong, with the last line of the plug-in that had a part in it."""
    what = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        what = f"it ended the process (exit code {error.code})"
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame.lineno for frame in frames if Path(frame.filename).stem == module.split(".")[-1]]
    line = f" (line {mine[-1]})" if mine and not isinstance(error, SyntaxError) else ""
    return f"{type(error).__name__}: {what}{line}"


def _is_raised(error: BaseException) -> bool:
    """Whether code raised this itself: it did not come from the keyboard."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and (frames[-1].line or "").startswith("raise")
