"""Files and modules of users that register methods of their own."""

import sys
from collections.abc import Sequence

from lotus.errors import LotusError
from lotus.methods.base import configured, registry
from lotus.names import shown
from lotus.plugin_files import import_plugin, modules_of


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
        with registry.registering() as before:
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
    (module,) = modules_of([plugin])
    is_new, before = module not in sys.modules, registry.registered()
    import_plugin(plugin)
    if plugin.endswith(".py") and is_new and registry.registered() == before:
        raise LotusError(
            f"plugin '{shown(plugin)}': registers no method: put `@register('name')` of "
            "lotus.methods.base above one of its classes"
        )
