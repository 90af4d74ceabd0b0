"""The rules about prompts."""

from chassis.rpc import rules as general
from chassis.rpc.errors import NotFound, Refusal, Violations
from chassis.rpc.peers import referred
from ft.enums import PromptType
from ft.prompts.fields import TEMPLATES
from ft.prompts.notices import Notice, notices
from ft.prompts.templates import TemplateFault, parse
from services.prompts import rules
from services.prompts.peers import Datasets
from services.prompts.store import Prompt, PromptStore

UNIQUE = {"id": "prompt.id", "name": "prompt.name"}
"""Columns that must be unique, with the fields of the request that they are from."""


class PromptService:
    """Stores prompts whose templates fit the columns of their dataset."""

    def __init__(self, prompts: PromptStore, datasets: Datasets) -> None:
        self._prompts = prompts
        self._datasets = datasets

    def get(self, id: str) -> Prompt:
        """The prompt with that id. Raises NotFound."""
        prompt = self._prompts.one(id=id)
        if prompt is None:
            raise NotFound(
                f"prompt {id!r} does not exist", resource="prompt", id=id, rule=general.EXISTS.id
            )
        return prompt

    async def add(
        self, id: str, type: str, name: str, dataset_id: str, templates: dict[str, str]
    ) -> tuple[Prompt, list[str]]:
        """Stores a prompt under the id that the caller chose.

        `templates` has a text for each of TEMPLATES. Returns the columns that they were understood
        by as well.
        """
        found = Violations()
        found.required("prompt.id", id)
        name = found.required("prompt.name", name)
        dataset_id = found.required("prompt.dataset_id", dataset_id)
        type = type or PromptType.IN_PLACE
        found.one_of("prompt.type", type, PromptType)
        for field in TEMPLATES:
            found.required(f"prompt.{field}", templates[field])
        found.raise_if_any()
        self._prompts.require_free(UNIQUE, id=id, name=name)
        columns = await self._require_columns(dataset_id, templates)
        prompt = Prompt(
            id=id,
            type=type,
            name=name,
            dataset_id=dataset_id,
            prompt_template=templates["prompt_template"],
            input_template=templates["input_template"],
            completion_template=templates["completion_template"],
        )
        await self._prompts.add(prompt, unique=UNIQUE)
        return prompt, columns

    async def remove(self, id: str) -> None:
        """Forgets a prompt; an unknown id is fine."""
        await self._prompts.remove(id=id)

    async def remove_of_dataset(self, dataset_id: str) -> None:
        """Forgets every prompt of a dataset; none is fine."""
        await self._prompts.remove(dataset_id=dataset_id)

    async def notices(self, prompt: Prompt, columns: list[str] | None) -> list[Notice]:
        """Notices about the templates of a prompt; the columns of its dataset are asked for where
        they are not given."""
        if columns is None:
            try:
                columns = await self._datasets.columns(prompt.dataset_id or "")
            except Refusal:
                # The prompt is stored, whatever can be said of it.
                return []
        return notices({field: getattr(prompt, field) or "" for field in TEMPLATES}, columns)

    async def _require_columns(self, dataset_id: str, templates: dict[str, str]) -> list[str]:
        """The columns that templates are understood by. Raises InvalidArgument if one does not fit
        them."""
        columns = await referred("prompt.dataset_id", self._datasets.columns(dataset_id))
        found = _faults(templates, columns)
        if not found.found:
            return columns
        # A key of JSON may come first behind what registration reads, and one of a dataset that was
        # imported, or whose file has changed, may not be on record at all.
        later, unread = await self._datasets.later_columns(dataset_id)
        columns = list(dict.fromkeys([*columns, *later]))
        _faults(templates, columns, unread).raise_if_any()
        return columns


def _faults(templates: dict[str, str], columns: list[str], unread: str = "") -> Violations:
    """Faults of templates for a dataset with these columns."""
    found = Violations()
    behind = f" ({unread})" if unread else ""
    for field, template in templates.items():
        try:
            used = parse(template, columns).columns()
        except TemplateFault as fault:
            found.add(f"prompt.{field}", rules.TEMPLATE, str(fault))
            continue
        for name in used:
            found.check(
                f"prompt.{field}",
                rules.COLUMNS,
                name in columns,
                f"placeholder {{{name}}} is not a column of the dataset; "
                f"its columns are {', '.join(columns)}{behind}",
            )
    return found
