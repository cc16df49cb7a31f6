"""One command line for all services and chores; heavy imports wait until a command needs them."""

import os

# Before numpy is loaded. Our matrices are small: two threads on one of them wait for each other longer than they work,
# most of all on a busy machine, and a sum in one thread is the same everywhere.
for _library in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_library, "1")

from marengocam.cli.main import main  # noqa: E402 - see above

__all__ = ["main"]
