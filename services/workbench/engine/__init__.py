"""Processes of runs and deployments: launching, watching, and the runs of jobs."""
