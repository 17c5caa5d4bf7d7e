"""The program: ``searchfeed``, or ``python -m searchfeed``."""

from __future__ import annotations

import os
import sys
import warnings


def main() -> int:
    """Run the command line of this process, and return its exit code."""
    if not sys.warnoptions:
        # They are for developers; Whoosh's own would greet the user at the first search.
        warnings.simplefilter("ignore")
    # numpy's linear algebra starts a thread for each processor, which costs more than a search
    # takes; nothing here uses it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        # Within the try: loading it takes long enough to be interrupted.
        from searchfeed.cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
