"""What commands print: tables, charts, comparisons and logs."""
