"""Reads the phrasings that the starter model and dataset are made of."""

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Phrasings:
    """Phrasings for training, and phrasings of the test rows only."""

    train: list[str]
    held_out: list[str]


@dataclass(frozen=True)
class Intent:
    """A request of a customer. `name` is the label that a tuned model is to produce."""

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


def say(rng: random.Random, cores: list[str]) -> str:
    """A customer's words: a whole phrasing, two of them, or keywords of two.

    The mixtures teach which words belong to a topic, in any sentence. Without them the model learns
    whole phrasings by heart, and fails with new ones.
    """
    first, second = rng.sample(cores, 2)
    kind = rng.random()
    if kind < 0.4:
        return first
    if kind < 0.6:
        return f"{first}, {second}"
    words = [word for core in (first, second) for word in core.split() if rng.random() < 0.6]
    if rng.random() < 0.5:
        rng.shuffle(words)
    return " ".join(words) or first
