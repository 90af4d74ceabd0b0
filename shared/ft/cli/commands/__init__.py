"""The subcommands of `fts`."""
