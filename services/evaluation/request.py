"""The StartEvaluationJob request."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from chassis.rpc.errors import Violations
from ft.enums import EvaluationJobType
from jobs import rules as job_rules
from jobs.requests.arguments import check_carried
from jobs.requests.numbers import check_gpus, check_resources, check_shares
from jobs.requests.request import CONFIG, FLAG, CarriedText, ConfigText, FlagText, JobRequest
from jobs.requests.settings import check_settings, contradictions
from services.evaluation import rules


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest(JobRequest):
    """A request to evaluate combinations of models and adapters."""

    type: str = EvaluationJobType.MLFLOW
    combinations: tuple[tuple[str, str], ...]
    """Ids of base model and adapter; an empty adapter id is the base model alone."""
    dataset_id: FlagText
    prompt_id: FlagText
    cpu: int
    gpu: int
    memory: int
    """GiB."""
    gpu_label_id: int | None = None
    model_bnb_config: ConfigText = ""
    adapter_bnb_config: ConfigText = ""
    generation_config: ConfigText = ""
    selected_features: tuple[str, ...] = ()
    eval_dataset_fraction: Annotated[float, FLAG] = 0.1
    comparison_adapter_id: CarriedText = ""
    fit_answer_length: Annotated[bool, FLAG] = False
    """True if the limit of tokens is raised to fit longer expected answers."""

    @classmethod
    def from_message(cls, message: Any, **given: Any) -> Self:
        """Reads the request, see `DomainRequest.from_message`."""
        pairs = ((c.base_model_id, c.adapter_id) for c in message.model_adapter_combinations)
        return super().from_message(message, combinations=tuple(pairs), **given)

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        found.one_of("type", self.type, EvaluationJobType)
        found.required("dataset_id", self.dataset_id)
        found.required("prompt_id", self.prompt_id)
        check_resources(found, cpu=self.cpu, memory=self.memory)
        check_gpus(found, gpu=self.gpu)
        check_shares(found, eval_dataset_fraction=self.eval_dataset_fraction)
        named, description = bool(self.combinations), "must name at least one model"
        found.check("model_adapter_combinations", rules.COMBINATIONS, named, description)
        for number, (model_id, adapter_id) in enumerate(self.combinations):
            field = f"model_adapter_combinations[{number}]"
            found.required(f"{field}.base_model_id", model_id)
            ids = {f"{field}.base_model_id": model_id, f"{field}.adapter_id": adapter_id}
            check_carried(ids, found)
        super().check(found)
        for name, text in self.configs.items():
            config = found.json_object(name, text)
            if config is not None:
                refused = check_settings(name, config, found)
                settings = {n: v for n, v in config.items() if n not in refused}
                for contradiction in contradictions(name, settings):
                    found.add(name, job_rules.CONSISTENT, contradiction)

    @property
    def comparison_adapter(self) -> str:
        """Id of the adapter whose held-out rows are used: as requested, else the first one."""
        return self.comparison_adapter_id or next((a for _, a in self.combinations if a), "")


CONFIGS = EvaluationRequest.named(CONFIG)
