"""The command `fts`."""

import sys


def main() -> None:
    """Runs the command. Its libraries come with the extra `cli`, which the client does not need."""
    try:
        from ft.cli.app import app
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("ft"):
            raise
        sys.exit(f"fts needs {error.name}: pip install 'fine-tuning-studio[cli]'")
    app()
