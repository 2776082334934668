"""`lotus` as the workflow's jobs call it: with this checkout's code, whichever copy is installed.

The checkout is found by this file's own place, not by a variable, so its path may hold any characters; it
comes last on Python's search path, so that a `random.py` beside the Snakefile hides no module of Python.
Called with Python's option -P, which keeps this file's own folder off that path. With -S as well it begins
without libraries, and once more with them where no warm process does the job.
"""

import os
import sys

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Also in worker processes, which run this file under another name.
sys.path.insert(0, CHECKOUT)
from lotus import surroundings

surroundings.keep_checkout_last()

from lotus.engine import asking


def main() -> None:
    """Has a warm process do the job if the workflow named one; else does it."""
    sys.argv[0] = "lotus"
    address = os.environ.get(asking.VARIABLE)
    status = asking.ask(address, sys.argv) if address else None
    if status is not None:
        sys.exit(status)
    if sys.flags.no_site:
        # To ask took no libraries, the job does.
        os.environ.pop(asking.VARIABLE, None)
        os.execv(sys.executable, [sys.executable, "-P", __file__, *sys.argv[1:]])
    from lotus.cli.main import run

    run()


if __name__ == "__main__":
    main()
