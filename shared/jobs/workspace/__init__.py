"""The workspace that runs the jobs: its client, its capacity and what it offers."""
