"""The file in an adapter's directory with the answers that it gave at the end of its training."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ft.job_protocol.files import ANSWERS_FILE
from rows.errors import first_line
from trainer.errors import ParityError

VERSION = 2
"""Version of the file. Version 1 has no chat template."""
MAX_NEW_TOKENS = 16
"""Maximum tokens of each answer."""
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "tokenizer": str,
    "eos_token_id": (int, type(None)),
    "calculated": str,
    "generation": dict,
    "samples": list,
}


@dataclass(frozen=True)
class RecordedAnswer:
    """An input, and the tokens that the model wrote."""

    input: str
    tokens: list[int]


@dataclass(frozen=True)
class RecordedAnswers:
    """Answers to compare with those of a model that is served or exported."""

    tokenizer: str
    """Its fingerprint."""
    eos_token_id: int | None
    calculated: str
    generation: dict[str, Any]
    samples: list[RecordedAnswer]
    chat_template: str | None = None
    """The hash of the chat template that wrote the inputs; None if they are texts."""

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Reads the file of an adapter; None if there is none. Raises ParityError for a file that
        the studio did not write."""
        try:
            found = json.loads((folder / ANSWERS_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            why = f"{ANSWERS_FILE} in the adapter's folder cannot be read: {error.strerror}."
            raise ParityError(why) from error
        except (ValueError, RecursionError) as error:
            why = f"{ANSWERS_FILE} in the adapter's folder is not JSON: {first_line(error)}."
            raise ParityError(why) from error
        if not isinstance(found, dict) or found.get("version") not in (1, VERSION):
            raise ParityError(
                f"{ANSWERS_FILE} in the adapter's folder has an unknown version: "
                f"{found.get('version') if isinstance(found, dict) else 'none'}."
            )
        fields = dict(_FIELDS)
        if found["version"] == VERSION:
            fields["chat_template"] = (str, type(None))
        for name, kind in fields.items():
            if name not in found or not isinstance(found[name], kind):
                raise _broken(name)
        if not _is_generation(found["generation"]):
            raise _broken("generation")
        samples = []
        for sample in found["samples"]:
            text = sample.get("input") if isinstance(sample, dict) else None
            tokens = sample.get("tokens") if isinstance(sample, dict) else None
            if not isinstance(text, str) or not text or not isinstance(tokens, list):
                raise _broken("samples")
            if not all(type(token) is int for token in tokens):
                raise _broken("samples")
            samples.append(RecordedAnswer(text, tokens))
        return cls(**{**{name: found[name] for name in fields}, "samples": samples})


def _is_generation(found: dict[str, Any]) -> bool:
    """Tells whether the settings are of the kind that a trainer records: greedy, with a limit and
    end tokens."""
    tokens, ends = found.get("max_new_tokens"), found.get("eos_token_id", [])
    return (
        found.keys() <= {"do_sample", "max_new_tokens", "eos_token_id"}
        and found.get("do_sample") is False
        and type(tokens) is int
        and 0 < tokens <= MAX_NEW_TOKENS
        and isinstance(ends, list)
        and all(type(token) is int for token in ends)
    )


def _broken(name: str) -> ParityError:
    return ParityError(f"{ANSWERS_FILE} beside the adapter is broken: {name} has no valid value.")
