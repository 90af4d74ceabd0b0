"""Reads the phrasings that the starter model and dataset are made of."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Phrasings:
    """Ways to say something: those for training, and those that only the test rows show."""

    train: list[str]
    held_out: list[str]


@dataclass(frozen=True)
class Intent:
    """What a customer may want. `name` is the label that a tuned model is to produce."""

    name: str
    cores: Phrasings
    replies: list[str]


def load() -> tuple[Phrasings, list[Intent]]:
    """The carrier sentences and the intents, in file order."""
    content = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
    intents = [
        Intent(name, Phrasings(entry["train"], entry["held_out"]), entry["replies"])
        for name, entry in content["intents"].items()
    ]
    return Phrasings(**content["carriers"]), intents


def carry(carrier: str, core: str) -> str:
    """The core within its carrier sentence, with a capital letter at its start."""
    text = carrier.format(core=core)
    return text[0].upper() + text[1:]
