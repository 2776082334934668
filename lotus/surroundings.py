"""What a process finds around it: files beside the project, the terminal, the user's variables.

Imports nothing but modules that Python itself has loaded, so that it can be called before a file of the
project, say `random.py`, hides the module of that name from everything that is imported later.
"""

import os
import sys

PACKAGE = "lotus"
WRITE_OF_OTHERS = 0o002
"""Of a file's mode: all users of the machine may write it."""


def keep_checkout_last() -> None:
    """Puts the folder of this package, and the present one, behind Python's own on the search path.

    Plug-ins in it are still found; its files hide no module of Python or of a library.
    """
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ours = {checkout, os.getcwd()}
    own = [path for path in sys.path if os.path.abspath(path) in ours]
    others = [path for path in sys.path if path not in own]
    pythons = os.path.dirname(os.__file__)
    behind = max((i + 1 for i, path in enumerate(others) if path.startswith(pythons)), default=0)
    behind = next((i for i in range(behind) if "-packages" in others[i]), behind)
    # An installed copy of the package would be taken by processes that start with this search path.
    libraries = range(behind, len(others))
    installed = (i for i in libraries if os.path.isdir(os.path.join(others[i], PACKAGE)))
    place = next(installed, len(others))
    others[place:place] = list(dict.fromkeys([checkout, *map(os.path.abspath, own)]))
    sys.path[:] = others


def leave_out_present_folder() -> None:
    """Takes the present folder off the search path, unless the running package lies in it.

    A library looks for modules that are not installed; a file of that name in the results of somebody else
    would be run.
    """
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    here = os.getcwd()
    if os.path.realpath(checkout) != os.path.realpath(here):
        sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]


def is_in_ci() -> bool:
    """Whether this runs on a service for continuous integration, which sets the variable CI."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def take_in_present_folder() -> None:
    """Puts the present folder at the end of the search path, where plug-ins of it are found."""
    if os.getcwd() not in map(os.path.abspath, sys.path):
        sys.path.append(os.getcwd())


def keep_strangers_out() -> None:
    """Has nobody but this user, and a group that the umask lets in, write what is made from here on."""
    os.umask(os.umask(0o022) | WRITE_OF_OTHERS)


def settle() -> None:
    """Makes this process independent of what the user's terminal and variables happen to be.

    Texts and file names are UTF-8, whatever the locale (the process starts again for that). What a terminal
    cannot show is written as an escape. Figures are files, and need no backend of the user's. NumPy and
    SciPy, which are loaded later, compute on one thread.
    """
    if sys.getfilesystemencoding() != "utf-8":
        shown_in = getattr(sys.stdout, "encoding", None) or "ascii"
        variables = {"PYTHONIOENCODING": f"{shown_in}:backslashreplace", **os.environ}
        python = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execve(sys.executable, python, variables)
    for stream in (sys.stdout, sys.stderr):
        # None, or of another kind, where somebody else runs us.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    os.environ["MPLBACKEND"] = "agg"
    # The last bits of a sum depend on the number of threads, which would be that of the machine's cores.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _name_other_copy()


def _name_other_copy() -> None:
    """Says on standard error that a project with code of its own is worked on by another copy's code."""
    here = os.path.join(os.getcwd(), PACKAGE)
    running = os.path.dirname(os.path.abspath(__file__))
    is_project = os.path.isfile(os.path.join(here, "__init__.py")) and os.path.isfile("Snakefile")
    if is_project and os.path.realpath(here) != os.path.realpath(running):
        sys.stderr.write(
            f"lotus: this is the code in {running}, not that of the project in this folder; to run the "
            "project's own: python -m lotus\n"
        )
