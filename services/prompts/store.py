"""The table of prompts."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.records import Base, Records
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
