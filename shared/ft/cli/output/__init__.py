"""Output of commands: tables, charts, comparisons and logs."""
