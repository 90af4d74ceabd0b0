"""The rules about prompts."""

from chassis.rpc.errors import Refusal, Violations
from chassis.rpc.peers import referred
from ft.prompts.notices import Notice, notices
from ft.prompts.templates import TemplateFault, parse
from services.prompts import rules
from services.prompts.peers import PromptPeers
from services.prompts.request import PromptRequest
from services.prompts.store import Prompt, PromptStore

UNIQUE = {"id": "prompt.id", "name": "prompt.name"}
"""Columns that must be unique, with the fields of the request that they are from."""


class PromptService:
    """Stores prompts whose templates fit the columns of their dataset."""

    def __init__(self, prompts: PromptStore, peers: PromptPeers) -> None:
        self._prompts = prompts
        self._peers = peers

    async def add(self, *, request: PromptRequest) -> tuple[Prompt, list[Notice]]:
        """Stores a prompt, and returns it with notices about its templates.

        A repeated request gets the prompt that it has stored before. Raises InvalidArgument with
        all that is wrong, AlreadyExists if the id or name is taken.
        """
        if (added := self._prompts.added_by(request.key)) is not None:
            try:
                columns = await self._peers.columns(added.dataset_id or "")
            except Refusal:
                return added, []  # The prompt is stored, whatever can be said of it.
            return added, notices(request.templates, columns)
        found = Violations()
        request.check(found)
        found.raise_if_any()
        try:
            columns = await self._require_columns(request)
        except Refusal:
            # An id or name that is taken is refused first. Otherwise `add` finds it by itself.
            self._prompts.require_free(UNIQUE, request.key, id=request.id, name=request.name)
            raise
        prompt = Prompt(**request.values(Prompt.table().columns.keys()))
        stored = await self._prompts.add(prompt, UNIQUE, request.key)
        return stored, notices(request.templates, columns)

    async def remove(self, id: str) -> None:
        """Removes the prompt with that id, if there is one."""
        await self._prompts.remove(id=id)

    async def remove_of_dataset(self, dataset_id: str) -> None:
        """Removes every prompt of a dataset, if it has any."""
        await self._prompts.remove(dataset_id=dataset_id)

    async def _require_columns(self, request: PromptRequest) -> list[str]:
        """Returns the columns by which the templates are understood.

        Raises InvalidArgument if a template does not fit them.
        """
        lookup = self._peers.columns(request.dataset_id)
        columns = await referred("prompt.dataset_id", lookup)
        if not _faults(request.templates, columns).found:
            return columns
        # Registration reads only the first rows of JSON, and the columns of a dataset that was
        # imported, or whose file has changed, may not be on record at all.
        later, unread = await self._peers.later_columns(request.dataset_id)
        columns = list(dict.fromkeys([*columns, *later]))
        _faults(request.templates, columns, unread).raise_if_any()
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
