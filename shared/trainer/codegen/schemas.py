"""Writes `shared/jobs/schemas`: the settings of each type of config, as the pinned libraries
declare them.

Services check requests against these files, so that they do not need the libraries.

python shared/trainer/codegen/schemas.py # writes the files

python shared/trainer/codegen/schemas.py --check # exit status 1 if one is not up to date
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from trainer.schemas.reading import SCHEMAS, axolotl
from trainer.schemas.types import Schema

FOLDER = Path(__file__).resolve().parents[2] / "jobs/schemas"
LISTED = ("properties", "$defs")


def text_of(schema: Schema) -> str:
    """The schema with a line for each property, and for each part that the properties refer to."""
    parts = []
    for key, value in schema.items():
        text = json.dumps(value)
        if key in LISTED:
            lines = [f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()]
            text = "\n".join(["{", ",\n".join(lines), "  }"])
        parts.append(f"  {json.dumps(key)}: {text}")
    return "\n".join(["{", ",\n".join(parts), "}", ""])


def makers() -> Mapping[str, Callable[[], Schema]]:
    """Functions that return each schema whose libraries are installed: Axolotl has a separate
    environment."""
    installed = importlib.util.find_spec("axolotl") is not None
    return {**SCHEMAS, **({"axolotl": axolotl} if installed else {})}


def main() -> None:
    """Writes the schemas, or checks them."""
    stale = []
    for kind, make in makers().items():
        file, text = FOLDER / f"{kind}.json", text_of(make())
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(file.name)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run: make schemas")


if __name__ == "__main__":
    main()
