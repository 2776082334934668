"""Files and modules of users that register methods of their own."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from lotus.errors import LotusError


def load_plugins(plugins: Sequence[str]) -> None:
    """Imports the files (`my_method.py`) and modules (`my_package.methods`) that register methods.

    Raises:
        LotusError: one cannot be imported, or its name hides another module.

    """
    for plugin in plugins:
        try:
            if plugin.endswith(".py"):
                _import_file(Path(plugin))
            else:
                importlib.import_module(plugin)
        except LotusError:
            raise
        except Exception as error:
            raise LotusError(
                f"plugin '{plugin}': cannot be imported: {type(error).__name__}: {error}; "
                "accepted: the path of a Python file, or the name of an installed module"
            ) from error


def _import_file(path: Path) -> None:
    # Imported by name from its folder, so that the digest of the code finds it too.
    if not path.is_file():
        raise LotusError(f"plugin '{path}': no such file; looked in {Path.cwd()}")
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.import_module(path.stem)
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise LotusError(
            f"plugin '{path}': its name is that of {module.__file__ or path.stem}; name it otherwise"
        )
