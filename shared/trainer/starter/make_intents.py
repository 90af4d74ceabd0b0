"""Makes the starter dataset: customer sentence -> intent, in data-folder format.

Run as `python -m trainer.starter.make_intents [DIRECTORY]`; the same files come out every time.
"""

import json
import logging
import random
import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

from trainer.starter.phrases import HERE, Intent, Phrasings, carry, load

logger = logging.getLogger(__name__)

SEED = 7
TRAIN_ROWS = 1500
DOUBLE_SHARE = 0.3
"""Share of the training rows that say it in two ways at once, as customers do."""
Row = dict[str, str]


def train_rows(carriers: Phrasings, intents: list[Intent]) -> list[Row]:
    """`TRAIN_ROWS` different rows, the same number for every intent, shuffled."""
    rng = random.Random(SEED)  # noqa: S311 - to be the same every time
    rows = []
    for intent in intents:
        count = TRAIN_ROWS // len(intents)
        doubles = int(count * DOUBLE_SHARE)
        pairs = [f"{first}, {second}" for first, second in permutations(intent.cores.train, 2)]
        for cores, rows_of_kind in ((pairs, doubles), (intent.cores.train, count - doubles)):
            every = list(_rows(intent.name, carriers.train, cores))
            rows += rng.sample(every, rows_of_kind)
    rng.shuffle(rows)
    return rows


def test_rows(carriers: Phrasings, intents: list[Intent]) -> list[Row]:
    """Every held-out phrasing in every held-out carrier."""
    rng = random.Random(SEED)  # noqa: S311 - to be the same every time
    rows = [
        row
        for intent in intents
        for row in _rows(intent.name, carriers.held_out, intent.cores.held_out)
    ]
    rng.shuffle(rows)
    return rows


def _rows(name: str, carriers: list[str], cores: list[str]) -> Iterator[Row]:
    for core in cores:
        for carrier in carriers:
            yield {"customer": carry(carrier, core), "action": name}


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
