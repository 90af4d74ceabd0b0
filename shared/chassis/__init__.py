"""Base of every service process."""

import os
import sys

from chassis import memory

memory.begin_start()

# gRPC's core writes lines of its own to standard error, which are not ours to format; from errors
# on they matter. It reads the variable when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

# structlog imports rich, if that is installed, for tracebacks in colours. Ours are plain text, and
# rich would be half of what logging costs a process at its start.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # makes the import fail
    import structlog  # noqa: F401

    del sys.modules["rich"]
