"""Makes the starter dataset: customer sentence -> intent, in data-folder format.

Run as `python -m trainer.starter.make_intents [DIRECTORY]`; the same files come out every time.
"""

import json
import logging
import random
import sys
from pathlib import Path

from trainer.starter.phrases import HERE, Intent, Phrasings, carry, load, say

logger = logging.getLogger(__name__)

SEED = 7
TRAIN_ROWS = 1800
Row = dict[str, str]


def train_rows(carriers: Phrasings, intents: list[Intent]) -> list[Row]:
    """`TRAIN_ROWS` different rows, the same number for every intent, shuffled.

    Like customers, they say it once, in two ways or in keywords.
    """
    rng = random.Random(SEED)  # noqa: S311 - to be the same every time
    rows = []
    for intent in intents:
        sentences: dict[str, None] = {}
        while len(sentences) < TRAIN_ROWS // len(intents):
            sentences[carry(rng.choice(carriers.train), say(rng, intent.cores.train))] = None
        rows += [{"customer": sentence, "action": intent.name} for sentence in sentences]
    rng.shuffle(rows)
    return rows


def test_rows(carriers: Phrasings, intents: list[Intent]) -> list[Row]:
    """Every held-out phrasing in every held-out carrier."""
    rng = random.Random(SEED)  # noqa: S311 - to be the same every time
    rows = [
        {"customer": carry(carrier, core), "action": intent.name}
        for intent in intents
        for core in intent.cores.held_out
        for carrier in carriers.held_out
    ]
    rng.shuffle(rows)
    return rows


def main(target: Path) -> None:
    """Writes train.jsonl and test.jsonl into `target`."""
    target.mkdir(parents=True, exist_ok=True)
    carriers, intents = load()
    for split, rows in (
        ("train", train_rows(carriers, intents)),
        ("test", test_rows(carriers, intents)),
    ):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (target / f"{split}.jsonl").write_text(lines, encoding="utf-8")
        logger.info("%s: %d rows", split, len(rows))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "intents")
