"""What a prompt makes of the rows: what is wrong with them, and how long they are."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from chassis.rpc.findings import ERROR, NOTICE, SHOWN_PLACES, WARNING, Findings
from chassis.rpc.rules import Rule
from rows.errors import DataError, first_line
from services.inspection import rules
from services.inspection.data.fillings import Filling
from services.inspection.data.rows import Parts, rows_of
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings

NOT_FILLABLE = (AttributeError, LookupError, TypeError, ValueError, MemoryError, DataError)
"""What a value may raise where a placeholder reaches into it or gives it a format, and a row that
is no conversation."""
NOT_FILLED, BLANK, NESTED, LONG = "not filled", "blank", "nested", "long"
"""With the column's name behind it."""
UNEMBEDDED, UNLEARNED = "unembedded", "unlearned"


@dataclass
class Seen:
    """What was seen of the rows used."""

    counted: int = 0
    """Rows whose tokens were counted."""
    tokens: int = 0
    """Tokens of those, each row cut at the context."""
    longest: int = 0
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many rows have which trouble."""
    places: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    hashes: set[bytes] = field(default_factory=set)


class Texts:
    """Goes through the rows of a job once."""

    def __init__(
        self,
        settings: JobSettings,
        parts: Parts,
        filling: Filling,
        tokenizer: ModelTokenizer | None,
        context: int,
        counting_seconds: float,
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._filling = filling
        self._tokenizer = tokenizer
        self._context = context
        self._until = time.monotonic() + counting_seconds
        self._fault = ""
        self._token = ""
        """The first that has no embedding."""
        self._begins: dict[int, str] = {}
        """What comes before the first token that is trained on, of the rows at hand."""
        self._clauses: dict[str, Rule] = {}
        """What is to be told about rows, and by which rule."""
        self.seen = Seen()

    def look(self, findings: Findings) -> None:
        """Looks at every row."""
        begin = 0
        for batch in self._parts.used.batches():
            self._begins.clear()
            texts = [self._text(begin + number, row) for number, row in enumerate(batch)]
            self._count(begin, texts)
            begin += len(batch)
        self._tell(findings)
        self._extrapolate(findings)
        if self._settings.tuning:
            self._tell_repeated(findings)

    def _text(self, number: int, row: dict[str, Any]) -> str | None:
        """The text of a row; None, and noted, if there is none."""
        try:
            text = self._filling.fill(row)
        except NOT_FILLABLE as error:
            self._fault = self._fault or _said(error)
            self._note(NOT_FILLED, number)
            return None
        names = self._filling.columns
        values = [row.get(name) for name in names]
        for placeholder in self._filling.empty(row):
            self._note_once(
                f"have no value for {{{placeholder}}}, which is an empty text there",
                rules.PRESENT,
                number,
            )
        for placeholder in self._filling.blanks(row):
            self._note_once(
                f"have a blank {{{placeholder}}}: the answer lacks it there",
                rules.ANSWER_TEXT,
                number,
            )
        for clause in self._filling.check(row, text):
            self._note_once(clause, rules.WRITTEN, number)
        if not text.strip() or (values and all(_empty(value) for value in values)):
            self._note(BLANK, number)
        if any(isinstance(row.get(name), list | dict) for name in self._filling.whole_columns):
            self._note(NESTED, number)
        if self._settings.tuning:
            self.seen.hashes.add(_hash(text))
            if self._filling.begin:
                with suppress(*NOT_FILLABLE):
                    self._begins[number] = self._filling.begin(row)
        return text

    def _count(self, begin: int, texts: list[str | None]) -> None:
        over = self.seen.counted and time.monotonic() > self._until
        if self._tokenizer is None or over:
            return
        seen, context = self.seen, self._context
        whole = self._filling.conversation
        end = (self._tokenizer.end_of_text or "") if self._settings.tuning and not whole else ""
        filled = {
            number: text + end for number, text in enumerate(texts, begin) if text is not None
        }
        lengths = self._tokenizer.lengths(list(filled.values()), whole=whole)
        for number, token in zip(filled, self._beyond(filled, whole=whole), strict=True):
            if token:
                self._token = self._token or token
                self._note(UNEMBEDDED, number)
        for number in self._unlearned(filled, lengths):
            self._note(UNLEARNED, number)
        for number, length in zip(filled, lengths, strict=True):
            seen.counted += 1
            seen.tokens += min(length, context) if context else length
            seen.longest = max(seen.longest, length)
            if context and length > context:
                self._note(LONG, number)

    def _beyond(self, filled: dict[int, str], *, whole: bool) -> list[str]:
        assert self._tokenizer is not None
        return self._tokenizer.beyond(list(filled.values()), whole=whole)

    def _unlearned(self, filled: dict[int, str], lengths: list[int]) -> list[int]:
        """Rows of which nothing is learned: what comes before the first token that is trained on
        takes all of the context. The first token of a text is never learned."""
        training, context = self._settings.training, self._context
        splits = training.get("packing") and training.get("packing_strategy", "bfd") != "bfd"
        if not self._settings.tuning or not context or splits:
            return []
        before = dict.fromkeys(filled, 1)
        if self._filling.begin and training.get("truncation_mode") != "keep_end":
            assert self._tokenizer is not None
            begins = {n: text for n in filled if (text := self._begins.get(n)) is not None}
            counted = self._tokenizer.lengths(
                list(begins.values()), whole=self._filling.conversation
            )
            before |= {n: max(count, 1) for n, count in zip(begins, counted, strict=True)}
        return [
            number
            for number, length in zip(filled, lengths, strict=True)
            if before[number] >= min(length, context)
        ]

    def _note(self, trouble: str, number: int) -> None:
        self.seen.rows[trouble] += 1
        if len(self.seen.places[trouble]) < SHOWN_PLACES:
            self.seen.places[trouble].append(self._parts.used.place(number))

    def _note_once(self, clause: str, rule: Rule, number: int) -> None:
        self._clauses.setdefault(clause, rule)
        self._note(clause, number)

    def _tell(self, findings: Findings) -> None:
        seen, total = self.seen, len(self._parts.used)

        def tell(trouble: str, severity: str, field: str, rule: Rule, text: str) -> None:
            if rows := seen.rows[trouble]:
                text = f"{rows} of {total} rows {text}"
                findings.add(severity, field, rule, text, rows, seen.places[trouble])

        tell(NOT_FILLED, ERROR, *self._not_filled())
        text = "have nothing in the columns that the prompt takes, or make a blank text"
        tell(BLANK, WARNING, "dataset_id", rules.NOT_BLANK, text)
        text = "have lists or objects in the columns that the prompt takes; they are filled as JSON"
        tell(NESTED, WARNING, "dataset_id", rules.PLAIN_VALUES, text)
        text = f"have a token that the model has no embedding for, such as {self._token!r}"
        tell(UNEMBEDDED, ERROR, "dataset_id", rules.EMBEDDED, text)
        severity = ERROR if seen.rows[UNLEARNED] == total else WARNING
        text = f"have nothing to learn within {self._context} tokens: the training leaves them out"
        tell(UNLEARNED, severity, "dataset_id", rules.LEARNED, text)
        for clause, rule in self._clauses.items():
            tell(clause, WARNING, "dataset_id", rule, clause)
        severity = ERROR if seen.rows[LONG] == total else WARNING
        text = f"have more than {self._context} tokens, the longest {seen.longest}; {self._cut()}"
        tell(LONG, severity, "dataset_id", rules.FITS, text)

    def _not_filled(self) -> tuple[str, Rule, str]:
        """Field, rule and text for rows that no text could be made of."""
        if self._filling.conversation:
            use = "trained on" if self._settings.tuning else "asked about"
            text = f"have no conversation that can be {use}: {self._fault}"
            return "dataset_id", rules.CONVERSATIONS, text
        text = f"cannot be filled into the {self._settings.template_name}: {self._fault}"
        return "prompt_id", rules.FILLED, text

    def _extrapolate(self, findings: Findings) -> None:
        """Takes the rows whose tokens there was no time to count to be like the others."""
        seen, total = self.seen, len(self._parts.used)
        if self._tokenizer is None or seen.counted + seen.rows[NOT_FILLED] >= total:
            return
        text = (
            f"tokens of {seen.counted} of {total} rows were counted, which took all the time "
            "that there was; the rest is taken to be like them"
        )
        findings.add(NOTICE, "dataset_id", rules.COUNTABLE, text)
        seen.tokens = round(seen.tokens * total / max(seen.counted, 1))

    def _cut(self) -> str:
        return "what is beyond is cut off" if self._settings.tuning else "no room is left to answer"

    def _tell_repeated(self, findings: Findings) -> None:
        repeated = [n for n, text in self._held_out() if _hash(text) in self.seen.hashes]
        if repeated:
            held_out = self._parts.held_out
            places = [held_out.place(number) for number in repeated[:SHOWN_PLACES]]
            text = (
                f"{len(repeated)} of {len(held_out)} held-out rows make a text that is trained on"
            )
            findings.add(NOTICE, "dataset_id", rules.APART, text, len(repeated), places)

    def _filled(self, row: dict[str, Any]) -> str | None:
        try:
            return self._filling.fill(row)
        except NOT_FILLABLE:
            return None

    def _held_out(self) -> list[tuple[int, str]]:
        return [
            (number, text)
            for number, row in enumerate(rows_of(self._parts.held_out))
            if (text := self._filled(row)) is not None
        ]


def _said(error: Exception) -> str:
    line = first_line(error)
    return line if isinstance(error, DataError) else f"{type(error).__name__}: {line}"


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _hash(text: str) -> bytes:
    # Whole texts of a large dataset would not fit in memory.
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
