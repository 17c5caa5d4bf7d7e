"""The program: ``searchfeed``, or ``python -m searchfeed``."""

from __future__ import annotations

import gc
import os
import sys
import warnings

GARBAGE = 50_000
"""With so many objects more than at the last time the newest are looked through for garbage."""


def main() -> int:
    """Run the command line of this process, and return its exit code."""
    if not sys.warnoptions:
        # They are for developers; Whoosh's own would greet the user at the first search.
        warnings.simplefilter("ignore")
    # What is loaded stays, and looking through it for garbage again and again takes time.
    gc.set_threshold(GARBAGE)
    # numpy's linear algebra starts a thread for each processor, which costs more than a search
    # takes; nothing here uses it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        # Within the try: loading it takes long enough to be interrupted.
        from searchfeed.cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    finally:
        # At its end Python looks through everything twice more, for garbage that goes anyway.
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
