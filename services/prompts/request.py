"""The AddPrompt request."""

from dataclasses import dataclass

from chassis.rpc.domain_request import DomainRequest, Stripped
from chassis.rpc.errors import Violations
from ft.enums import PromptType
from ft.prompts.fields import TEMPLATES


@dataclass(frozen=True, kw_only=True)
class PromptRequest(DomainRequest):
    """A prompt to store, under the id that the client chose."""

    id: str
    type: str = PromptType.IN_PLACE
    name: Stripped
    dataset_id: Stripped
    prompt_template: str
    input_template: str
    completion_template: str

    @property
    def templates(self) -> dict[str, str]:
        """The templates by name of field."""
        return self.values(TEMPLATES)

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        for field in ("id", "name", "dataset_id"):
            found.required(f"prompt.{field}", getattr(self, field))
        found.one_of("prompt.type", self.type, PromptType)
        for field, template in self.templates.items():
            found.required(f"prompt.{field}", template)
