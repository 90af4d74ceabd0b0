"""Notices about conversations in a file that is registered, which jobs could not use."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from rows.chat import messages
from rows.errors import DataError
from rows.files.formats import FileKind, Format
from rows.files.reader import FileReader

LOOKED_AT_ROWS = 1000
"""First rows that are looked at. A job's check looks at all of them."""


def notices(path: Path, format: Format, roles: Mapping[str, str]) -> list[str]:
    """Notices about the first rows' columns of messages: roles of other formats, roles that are
    given and that no message has, and the first row that is to be refused. Raises DataError and
    OSError for a file that cannot be opened."""
    found = _Found(dict(roles))
    # Jobs read all rows, and report one that cannot be read.
    with FileReader(path, format) as reader, suppress(DataError):
        if reader.is_text:
            return []
        for place, row in islice(reader, LOOKED_AT_ROWS):
            for column, value in row.items():
                talk = messages.without_nulls(value) if format.kind is FileKind.PARQUET else value
                if messages.is_conversation(talk):
                    found.look(f"{reader.word} {place}: column {column}", talk)
    return list(found.notices())


class _Found:
    """Roles and faults in conversations."""

    def __init__(self, roles: dict[str, str]) -> None:
        self._roles = roles
        self._seen = Counter[str]()
        """Messages by role, as they stand in the file."""
        self._fault = ""

    def look(self, place: str, talk: list[Any]) -> None:
        given = {messages.role_of(one) for one in talk} - {""}
        self._seen.update(given)
        usual = {role: meant for role in given if (meant := messages.usual_role(role))}
        if self._fault:
            return
        try:
            # Roles have a notice of their own.
            messages.of(talk, usual | self._roles)
        except DataError as error:
            self._fault = f"{place}: {error}. Jobs that use it are refused."

    def notices(self) -> Iterator[str]:
        """Nothing of a file without conversations."""
        if not self._seen:
            return
        usual = {role: messages.usual_role(role) for role in sorted(self._seen)}
        unknown = {
            role: meant for role, meant in usual.items() if meant and role not in self._roles
        }
        if unknown:
            pairs = {**self._roles, **unknown}
            text = ",".join(f"{role}={meant}" for role, meant in pairs.items())
            yield (
                f"Messages have the role{'s' * (len(unknown) > 1)} {', '.join(unknown)}, which "
                "models do not know. Jobs that use this dataset are refused. Remove the dataset, "
                f"and add it again with --roles {text}."
            )
        if unused := [role for role in self._roles if role not in self._seen]:
            yield (
                f"No message of the first {LOOKED_AT_ROWS:,} rows has the role "
                f"{' or '.join(unused)}, which is set in roles. These rows have the roles "
                f"{', '.join(sorted(self._seen))}."
            )
        if self._fault:
            yield self._fault
