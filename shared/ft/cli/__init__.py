"""The command `fts`."""

import sys

from ft.terminal import GONE, OutputLost, discard, prepare_streams


def main() -> None:
    """Runs the command. Its libraries come with the extra `cli`, which the client does not need."""
    prepare_streams()
    try:
        from ft.cli.app import app
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("ft"):
            raise
        sys.exit(f"fts needs {error.name}: pip install 'fine-tuning-studio[cli]'")
    try:
        app()
    except OSError as error:
        # Of help and usage, which the library prints itself.
        discard(sys.stdout)
        if error.errno in GONE:
            sys.exit(141)
        sys.exit(f"error: {OutputLost(error, '')}")
