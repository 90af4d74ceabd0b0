"""Lists what an image must install, from the `pyproject.toml` files alone.

    python containers/closure.py OUT

For every package of this repository, `OUT/<folder>/third-party.txt` gets the requirements that come
from the package index and `OUT/<folder>/own.txt` the distributions made here, both for the package
and everything of ours that it needs. An image installs the first before the second, so that a
change of our source leaves the layer of third-party packages alone.
"""

import re
import sys
import tomllib
from pathlib import Path

NAME = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^]]*)\])?")


class Package:
    """A distribution of this repository, as its `pyproject.toml` describes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.name
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        self.name: str = normalised(project["name"])
        self._base: list[str] = project.get("dependencies", [])
        self._extras: dict[str, list[str]] = project.get("optional-dependencies", {})

    def requirements(self, extras: frozenset[str]) -> list[str]:
        """The requirements, with those of these extras."""
        return self._base + [item for extra in sorted(extras) for item in self._extras[extra]]


def normalised(name: str) -> str:
    """The name as the package index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(package: Package, ours: dict[str, Package]) -> tuple[set[str], set[str]]:
    """Third-party requirements and own distributions that `package` needs, itself among them."""
    third_party: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(package.name, frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in ours[name].requirements(extras):
            match = NAME.match(requirement)
            if match is None:
                raise ValueError(f"{name}: requirement {requirement!r} does not start with a name")
            wanted = normalised(match["name"])
            if wanted in ours:
                asked = {extra.strip() for extra in (match["extras"] or "").split(",")} - {""}
                waiting.append((wanted, frozenset(asked)))
            else:
                third_party.add(requirement)
    return third_party, {name for name, _ in seen}


def main(out: Path) -> None:
    """Write both lists of every package under `out`."""
    found = sorted(Path.cwd().glob("*/*/pyproject.toml"))
    packages = [Package(file.parent) for file in found]
    ours = {package.name: package for package in packages}
    for package in packages:
        lists = zip(("third-party.txt", "own.txt"), closure(package, ours), strict=True)
        folder = out / package.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, lines in lists:
            (folder / name).write_text("".join(f"{line}\n" for line in sorted(lines)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
