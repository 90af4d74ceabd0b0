"""The text that the starter model is pre-trained on: generated support chats and identifiers.

It has the words and topics of the starter dataset, but neither its labels nor the phrasings and
carriers of its test rows: a tuned model can only have learned these from training rows.
"""

import random
import re

from trainer.starter.phrases import Intent, Phrasings, carry, load, say

SEED = 11
CHATS = 20_000
IDENTIFIERS = 6_000
GREETINGS = [
    "Hello",
    "Dear customer",
    "Welcome",
    "Hi",
    "Good day",
    "Thank you for writing to our team",
]
OFFERS = ["how can I help you", "what can I do for you", "I will help you at once", "let me check"]
THANKS = ["Great, thank you", "Thanks, that is all", "That helps me a lot", "Good, have a nice day"]
VERBS = [
    "add",
    "check",
    "close",
    "find",
    "get",
    "list",
    "load",
    "make",
    "open",
    "read",
    "save",
    "send",
]
ADJECTIVES = [
    "active",
    "blue",
    "daily",
    "first",
    "free",
    "home",
    "large",
    "last",
    "new",
    "old",
    "red",
]


def corpus() -> list[str]:
    """All documents, shuffled; the same ones every time."""
    rng = random.Random(SEED)  # noqa: S311 - to be the same every time
    carriers, intents = load()
    documents = [_chat(rng, carriers, intents) for _ in range(CHATS)]
    documents += _identifier_lines(rng, intents)
    rng.shuffle(documents)
    return documents


def _chat(rng: random.Random, carriers: Phrasings, intents: list[Intent]) -> str:
    lines = []
    if rng.random() < 0.3:
        lines.append(f"### AGENT: {rng.choice(GREETINGS)}, {rng.choice(OFFERS)}.")
    intent = rng.choice(intents)
    carrier = rng.choice([*carriers.train, "{core}"])
    lines.append(f"### CUSTOMER: {carry(carrier, say(rng, intent.cores.train))}")
    lines.append(f"### AGENT: {rng.choice(intent.replies)}")
    if rng.random() < 0.2:
        lines.append(f"### CUSTOMER: {rng.choice(THANKS)}.")
    return "\n".join(lines)


def _identifier_lines(rng: random.Random, intents: list[Intent]) -> list[str]:
    """Lines of snake_case names of two or three words, none of which holds a label."""
    labels = {intent.name for intent in intents}
    text = " ".join(core for intent in intents for core in intent.cores.train)
    nouns = sorted(set(re.findall(r"[a-z]{4,}", text)))
    lines: list[str] = []
    while len(lines) < IDENTIFIERS:
        names = [
            "_".join(
                [rng.choice(VERBS + nouns), *rng.choices(ADJECTIVES + nouns, k=rng.choice((1, 2)))]
            )
            for _ in range(4)
        ]
        line = " ".join(names)
        if not any(label in line for label in labels):
            lines.append(line)
    return lines
