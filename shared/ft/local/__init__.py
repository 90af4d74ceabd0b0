"""The studio on this machine: its processes, their supervisor and its folder."""
