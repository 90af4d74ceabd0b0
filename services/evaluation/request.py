"""A request to start evaluations in the domain's own terms; the rules that need nothing else."""

from dataclasses import dataclass, field

from chassis.rpc.errors import Violations
from ft.enums import EvaluationJobType
from jobs import rules as job_rules
from jobs.requests.arguments import check_carried
from jobs.requests.numbers import check_gpus, check_resources, check_shares
from jobs.requests.repetition import Repeatable
from jobs.requests.settings import check_settings, contradictions
from services.evaluation import rules

CONFIGS = ("model_bnb_config", "adapter_bnb_config", "generation_config")
_ARGUMENTS = ("dataset_id", "prompt_id", "comparison_adapter_id")
"""Fields that the jobs get as they are."""


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest(Repeatable):
    """What StartEvaluationJob asks for."""

    type: str
    combinations: tuple[tuple[str, str], ...]
    """Ids of base model and adapter; an empty adapter id is the base model alone."""
    dataset_id: str
    prompt_id: str
    cpu: int
    gpu: int
    memory: int
    """GiB."""
    gpu_label_id: int | None
    configs: dict[str, str] = field(default_factory=dict)
    """By name of field, those that are set."""
    selected_features: tuple[str, ...] = ()
    eval_dataset_fraction: float = 0.1
    comparison_adapter_id: str = ""
    fit_answer_length: bool = False
    """True if the limit of tokens is raised to fit longer expected answers."""

    def check(self, found: Violations) -> None:
        """Notes every rule that the request breaks by itself."""
        found.one_of("type", self.type, EvaluationJobType)
        found.required("dataset_id", self.dataset_id)
        found.required("prompt_id", self.prompt_id)
        check_resources(found, cpu=self.cpu, memory=self.memory)
        check_gpus(found, gpu=self.gpu)
        check_shares(found, eval_dataset_fraction=self.eval_dataset_fraction)
        self._check_combinations(found)
        check_carried({name: getattr(self, name) for name in _ARGUMENTS}, found)
        self.check_retry(found)
        for name, text in self.configs.items():
            config = found.json_object(name, text)
            if config is not None:
                told = check_settings(name, config, found)
                settings = {n: v for n, v in config.items() if n not in told}
                for contradiction in contradictions(name, settings):
                    found.add(name, job_rules.CONSISTENT, contradiction)

    def _check_combinations(self, found: Violations) -> None:
        asked, description = bool(self.combinations), "must name at least one model"
        found.check("model_adapter_combinations", rules.COMBINATIONS, asked, description)
        for number, (model_id, adapter_id) in enumerate(self.combinations):
            field = f"model_adapter_combinations[{number}]"
            found.required(f"{field}.base_model_id", model_id)
            ids = {f"{field}.base_model_id": model_id, f"{field}.adapter_id": adapter_id}
            check_carried(ids, found)

    @property
    def comparison_adapter(self) -> str:
        """The adapter whose held-out rows are used: as asked, else the first of the request."""
        return self.comparison_adapter_id or next((a for _, a in self.combinations if a), "")
