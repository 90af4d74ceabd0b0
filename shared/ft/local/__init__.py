"""The studio on this machine: its processes under a supervisor, and where they keep things."""
