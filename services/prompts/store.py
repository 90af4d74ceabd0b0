"""The table of prompts."""

from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Aborted
from chassis.records import Base, Records
from chassis.staging import Staging
from chassis.store import Store


class Prompt(Base):
    """A stored prompt."""

    __tablename__ = "prompts"

    type: Mapped[str | None]
    name: Mapped[str | None] = mapped_column(index=True)
    description: Mapped[str | None] = mapped_column(default=None)
    """Not in the contract's messages; kept because export files carry it."""
    dataset_id: Mapped[str | None] = mapped_column(default=None, index=True)
    prompt_template: Mapped[str | None] = mapped_column(default=None)
    input_template: Mapped[str | None] = mapped_column(default=None)
    completion_template: Mapped[str | None] = mapped_column(default=None)


class PromptStore(Records[Prompt]):
    """Queries on prompts."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Prompt)
        self._staging = Staging(store)

    def insert(self, connection: Connection, records: Iterable[Prompt]) -> None:
        """Inserts within a transaction that is under way. Raises Aborted if an import under way
        has the id: callers choose the ids of prompts."""
        adding = list(records)
        for prompt in adding:
            if self._staging.reserves(connection, prompt.id):
                raise Aborted(
                    f"id: {prompt.id!r} is in an import that is under way",
                    reason="IMPORT_UNDER_WAY",
                )
        super().insert(connection, adding)
