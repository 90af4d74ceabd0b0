"""For every test of the repository: nothing outside of this machine is asked for anything."""

import os

# Read when the hub's library is imported, so before anything else is.
os.environ["HF_HUB_OFFLINE"] = "1"
