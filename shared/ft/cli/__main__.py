"""`python -m ft.cli` is `fts`."""

from ft.cli import main

main()
