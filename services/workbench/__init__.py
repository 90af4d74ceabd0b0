"""A local stand-in for a Cloudera AI workspace: its REST API v2, with jobs as real processes."""

import chassis  # noqa: F401 - before structlog is imported, see there
