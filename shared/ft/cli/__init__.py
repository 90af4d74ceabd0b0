"""The command `fts`."""

import sys

from ft.text.streams import safe_streams


def main() -> None:
    """Runs the command. Its libraries come with the extra `cli`, which the client does not need."""
    with safe_streams():
        try:
            from ft.cli.app import app
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("ft"):
                raise
            sys.stderr.write(f"fts needs {error.name}: pip install 'fine-tuning-studio[cli]'\n")
            sys.exit(1)
        app()
