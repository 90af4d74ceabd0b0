"""Base of every service process."""

import os

# gRPC's core writes lines of its own to standard error, which are not ours to format; from errors
# on they matter. It reads the variable when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
