"""Writes `shared/jobs/schemas`: what each type of config may hold, as the pinned libraries say.

Services hold requests against these files, so that none of them needs the libraries.

python shared/trainer/codegen/schemas.py            # writes them
python shared/trainer/codegen/schemas.py --check    # exit status 1 if one is not up to date
"""

import json
import sys
from pathlib import Path
from typing import Any

from trainer.schemas import SCHEMAS

FOLDER = Path(__file__).resolve().parents[2] / "jobs/schemas"


def text_of(schema: dict[str, Any]) -> str:
    """The schema with a line for each property."""
    lines = [
        f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in schema["properties"].items()
    ]
    head = [
        f"  {json.dumps(key)}: {json.dumps(value)},"
        for key, value in schema.items()
        if key != "properties"
    ]
    properties = ",\n".join(lines)
    return "\n".join(["{", *head, '  "properties": {', properties, "  }", "}", ""])


def main() -> None:
    """Writes the schemas, or checks them."""
    stale = []
    for kind, make in SCHEMAS.items():
        file, text = FOLDER / f"{kind}.json", text_of(make())
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(file.name)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run: make schemas")


if __name__ == "__main__":
    main()
