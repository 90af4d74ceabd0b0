"""The texts that a job makes of its rows: their problems, and their number of tokens."""

import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from chassis.rpc.findings import ERROR, NOTICE, SHOWN_PLACES, WARNING, Findings
from chassis.rpc.rules import Rule
from rows.errors import DataError, first_line
from services.inspection import rules
from services.inspection.data.problems import RowProblems
from services.inspection.data.renderers import NOT_RENDERABLE, Row, RowRenderer
from services.inspection.data.rows import JobRows
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings

NOT_RENDERED, BLANK, NESTED, LONG = "not rendered", "blank", "nested", "long"
UNEMBEDDED, UNLEARNED = "unembedded", "unlearned"


@dataclass
class TextStatistics:
    """Tokens of the rows that a job works on."""

    counted: int = 0
    """Rows whose tokens were counted."""
    tokens: int = 0
    """Tokens of all rows, each cut at the context length."""
    longest: int = 0
    """Tokens of the longest row that was counted."""


class TextInspection:
    """Makes the text of each row once, and collects problems and statistics."""

    def __init__(
        self,
        settings: JobSettings,
        rows: JobRows,
        renderer: RowRenderer,
        tokenizer: ModelTokenizer | None,
        context: int,
        counting_seconds: float,
    ) -> None:
        """`context` is the most tokens that a row may have; 0 for any number.

        Tokens are counted for about `counting_seconds`, of one batch of rows at least, and of none
        if there is no tokenizer.
        """
        self._settings = settings
        self._rows = rows
        self._renderer = renderer
        self._tokenizer = tokenizer
        self._context = context
        self._until = time.monotonic() + counting_seconds
        self._statistics = TextStatistics()
        self._problems = RowProblems(rows.used)
        self._clauses: dict[str, Rule] = {}
        """Problems that are reported in their own words, and their rules."""
        self._first_error = ""
        self._first_unembedded = ""
        self._prefixes: dict[int, str] = {}
        """Texts before the first token that is trained on, of the present batch."""
        self._hashes: set[bytes] = set()

    def run(self, findings: Findings) -> TextStatistics:
        """Goes through all rows, and reports their problems."""
        first, statistics, total = 0, self._statistics, len(self._rows.used)
        for batch in self._rows.used.batches():
            self._prefixes.clear()
            texts = [self._render(first + number, row) for number, row in enumerate(batch)]
            self._count(first, texts)
            first += len(batch)
        self._report(findings)
        uncounted = total - statistics.counted - self._problems.counts[NOT_RENDERED]
        if self._tokenizer is not None and uncounted > 0:
            text = (
                f"the time for counting tokens was over after {statistics.counted} of {total} "
                "rows; the number of tokens of all rows is estimated from these"
            )
            findings.add(NOTICE, "dataset_id", rules.COUNTABLE, text)
            statistics.tokens = round(statistics.tokens * total / max(statistics.counted, 1))
        if not self._settings.tuning:
            return statistics
        held_out, repeated = self._rows.held_out, []
        for number, row in enumerate(chain.from_iterable(held_out.batches())):
            with suppress(*NOT_RENDERABLE):
                if _hash(self._renderer.render(row)) in self._hashes:
                    repeated.append(number)
        if repeated:
            count, places = len(repeated), [held_out.place(one) for one in repeated[:SHOWN_PLACES]]
            text = f"{count} of {len(held_out)} held-out rows make a text that is trained on"
            findings.add(NOTICE, "dataset_id", rules.APART, text, count, places)
        return statistics

    def _render(self, number: int, row: Row) -> str | None:
        """The text of a row; None, with a problem added, if it has none."""
        renderer, problems = self._renderer, self._problems
        try:
            text = renderer.render(row)
        except NOT_RENDERABLE as error:
            line = first_line(error)
            named = line if isinstance(error, DataError) else f"{type(error).__name__}: {line}"
            self._first_error = self._first_error or named
            problems.add(NOT_RENDERED, number)
            return None
        clauses: dict[str, Rule] = {}
        for placeholder in renderer.missing(row):
            clause = f"have no value for {{{placeholder}}}, which is filled in as an empty text"
            clauses[clause] = rules.PRESENT
        for placeholder in renderer.blanks(row):
            clauses[f"have a blank {{{placeholder}}}, so the answer lacks it"] = rules.ANSWER_TEXT
        for clause in renderer.check(row, text):
            clauses[clause] = rules.WRITTEN
        for clause, rule in clauses.items():
            self._clauses.setdefault(clause, rule)
            problems.add(clause, number)
        values = [row.get(name) for name in renderer.columns]
        filled = [
            value.strip() if isinstance(value, str) else value not in (None, [], {})
            for value in values
        ]
        if not text.strip() or (filled and not any(filled)):
            problems.add(BLANK, number)
        if any(isinstance(row.get(name), list | dict) for name in renderer.whole_columns):
            problems.add(NESTED, number)
        if self._settings.tuning:
            self._hashes.add(_hash(text))
            if renderer.prefix:
                with suppress(*NOT_RENDERABLE):
                    self._prefixes[number] = renderer.prefix(row)
        return text

    def _count(self, first: int, texts: list[str | None]) -> None:
        """Counts the tokens of a batch, as long as there is time."""
        statistics, context, tokenizer = self._statistics, self._context, self._tokenizer
        over = statistics.counted and time.monotonic() > self._until
        if tokenizer is None or over:
            return
        whole = self._renderer.conversation
        end = (tokenizer.end_of_text or "") if self._settings.tuning and not whole else ""
        rendered = {
            number: text + end for number, text in enumerate(texts, first) if text is not None
        }
        lengths = tokenizer.lengths(list(rendered.values()), whole=whole)
        unembedded = tokenizer.beyond(list(rendered.values()), whole=whole)
        for number, token in zip(rendered, unembedded, strict=True):
            if token:
                self._first_unembedded = self._first_unembedded or token
                self._problems.add(UNEMBEDDED, number)
        counts = dict(zip(rendered, lengths, strict=True))
        for number in self._unlearned(counts, tokenizer):
            self._problems.add(UNLEARNED, number)
        for number, length in counts.items():
            statistics.counted += 1
            statistics.tokens += min(length, context) if context else length
            statistics.longest = max(statistics.longest, length)
            if context and length > context:
                self._problems.add(LONG, number)

    def _unlearned(self, counts: dict[int, int], tokenizer: ModelTokenizer) -> list[int]:
        """Rows of which nothing is learned: what comes before the first token that is trained on
        takes all of the context. The first token of a text is never learned.

        `counts` are the tokens of rows by their numbers.
        """
        training, context = self._settings.training, self._context
        splits = training.get("packing") and training.get("packing_strategy", "bfd") != "bfd"
        if not self._settings.tuning or not context or splits:
            return []
        before = dict.fromkeys(counts, 1)
        if self._renderer.prefix and training.get("truncation_mode") != "keep_end":
            prefixes = {n: text for n in counts if (text := self._prefixes.get(n)) is not None}
            lengths = tokenizer.lengths(list(prefixes.values()), whole=self._renderer.conversation)
            before |= {n: max(count, 1) for n, count in zip(prefixes, lengths, strict=True)}
        return [number for number, count in counts.items() if before[number] >= min(count, context)]

    def _report(self, findings: Findings) -> None:
        context, counts, report = self._context, self._problems.counts, self._problems.report
        total, tuning = len(self._rows.used), self._settings.tuning
        if self._renderer.conversation:
            field, rule = "dataset_id", rules.CONVERSATIONS
            use = "trained on" if tuning else "asked about"
            text = f"have no conversation that can be {use}: {self._first_error}"
        else:
            field, rule = "prompt_id", rules.FILLED
            name = self._settings.template_name
            text = f"cannot be filled into the {name}: {self._first_error}"
        report(findings, NOT_RENDERED, ERROR, field, rule, text)
        text = "have no value in the columns that the prompt uses, or make a blank text"
        report(findings, BLANK, WARNING, "dataset_id", rules.NOT_BLANK, text)
        text = "have lists or objects in the columns that the prompt uses; they are filled as JSON"
        report(findings, NESTED, WARNING, "dataset_id", rules.PLAIN_VALUES, text)
        token = self._first_unembedded
        text = f"have a token for which the model has no embedding, such as {token!r}"
        report(findings, UNEMBEDDED, ERROR, "dataset_id", rules.EMBEDDED, text)
        severity = ERROR if counts[UNLEARNED] == total else WARNING
        text = f"have nothing to learn within {context} tokens: the training leaves them out"
        report(findings, UNLEARNED, severity, "dataset_id", rules.LEARNED, text)
        for clause, rule in self._clauses.items():
            report(findings, clause, WARNING, "dataset_id", rule, clause)
        severity = ERROR if counts[LONG] == total else WARNING
        effect = "the tokens beyond are cut off" if tuning else "no room is left for an answer"
        text = f"have more than {context} tokens, the longest {self._statistics.longest}; {effect}"
        report(findings, LONG, severity, "dataset_id", rules.FITS, text)


def _hash(text: str) -> bytes:
    # Whole texts of a large dataset would not fit in memory.
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
