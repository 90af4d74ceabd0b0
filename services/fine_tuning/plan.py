"""From an accepted request to the record that is kept and the job that the workspace is given."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from chassis.ids import new_id
from chassis.rpc.errors import Violations
from ft.enums import FineTuningFrameworkType
from ft.job_protocol import template_jobs
from jobs.execution.dispatch import JobSpec
from jobs.requests.arguments import compact_json, encode
from jobs.requests.configs import JobConfig, columns, quantisation
from services.fine_tuning.axolotl import AxolotlConfig
from services.fine_tuning.request import CONFIGS, JobRequest
from services.fine_tuning.store import FineTuningJob

TEMPLATES: Mapping[str, str] = {
    FineTuningFrameworkType.LEGACY: template_jobs.FINE_TUNING,
    FineTuningFrameworkType.AXOLOTL: template_jobs.AXOLOTL,
}
"""Name of the template job, by framework."""
DEFAULT_TEMPLATE = TEMPLATES[FineTuningFrameworkType.LEGACY]
DEFAULT_OUTPUT_DIR = "adapters"
NEEDED = ("training_arguments_config", "lora_config")
"""Configs that every job of the studio's own trainer has: its own, or shipped ones."""
_AS_ASKED = (
    "adapter_name",
    "base_model_id",
    "dataset_id",
    "prompt_id",
    "num_workers",
    "dataset_fraction",
    "train_test_split",
    "user_script",
    "framework_type",
    "axolotl_config_id",
    "gpu_label_id",
)
"""Columns that are fields of the request as they are."""
DEFAULT_EPOCHS = 1
DEFAULT_LEARNING_RATE = 2e-4


def template(request: JobRequest) -> str:
    """Name of the template job that the request's job is made from."""
    return TEMPLATES.get(request.framework_type, DEFAULT_TEMPLATE)


def needed(request: JobRequest) -> Sequence[str]:
    """Configs that the job has to have."""
    return () if request.is_axolotl else NEEDED


def record(
    request: JobRequest,
    configs: Mapping[str, JobConfig],
    output_dir: str,
    axolotl: AxolotlConfig | None = None,
) -> FineTuningJob:
    """The job's record, with copies of the configs, so that it explains itself without them.

    Raises InvalidArgument if an argument of the job cannot be carried.
    """
    cpu, gpu, memory = resources(request)
    epochs, learning_rate = _numbers(request, configs, axolotl)
    user_config = configs.get("user_config")
    id = new_id()
    job = FineTuningJob(
        id=id,
        num_cpu=cpu,
        num_gpu=gpu,
        num_memory=memory,
        num_epochs=math.ceil(epochs),
        learning_rate=learning_rate,
        out_dir=f"{output_dir.rstrip('/')}/{id}",
        user_config=user_config.text if user_config else None,
        user_config_id=user_config.id if user_config else request.user_config_id,
        **{name: getattr(request, name) for name in _AS_ASKED},
        **request.repetition(),
        **columns(configs, CONFIGS),
    )
    job.spec = _spec(request, job, configs).stored()
    return job


def _spec(request: JobRequest, job: FineTuningJob, configs: Mapping[str, JobConfig]) -> JobSpec:
    return JobSpec(
        template=template(request),
        script=request.user_script,
        arguments=encode(_flags(request, job, configs)),
        cpu=job.num_cpu or 0,
        memory=job.num_memory or 0,
        gpu=job.num_gpu or 0,
        gpu_label_id=request.gpu_label_id,
        workers=request.num_workers,
        title=request.adapter_name,
    )


def training_settings(request: JobRequest, configs: Mapping[str, JobConfig]) -> dict[str, Any]:
    """The training settings: the request's own fields win over the config's, that over defaults."""
    settings: dict[str, Any] = json.loads(configs["training_arguments_config"].text)
    fields = {"num_train_epochs": request.num_epochs, "learning_rate": request.learning_rate}
    defaults = {"num_train_epochs": DEFAULT_EPOCHS, "learning_rate": DEFAULT_LEARNING_RATE}
    given = {name: value for name, value in fields.items() if value is not None}
    return {**defaults, **settings, **given}


def _flags(
    request: JobRequest, job: FineTuningJob, configs: Mapping[str, JobConfig]
) -> dict[str, object]:
    flags: dict[str, object] = {
        "base_model_id": job.base_model_id,
        "dataset_id": job.dataset_id,
        "experimentid": job.id,
        "out_dir": job.out_dir,
        "train_out_dir": job.folder(),
        "adapter_name": job.adapter_name,
        "finetuning_framework_type": job.framework_type,
        "prompt_id": job.prompt_id,
        "auto_add_adapter": request.auto_add_adapter,
        "train_test_split": job.train_test_split,
        "dataset_fraction": job.dataset_fraction,
        "user_config_id": job.user_config_id,
        "dist_cpu": job.num_cpu,
    }
    if request.is_axolotl:
        return {**flags, "axolotl_config_id": job.axolotl_config_id}
    return {**flags, **_legacy_flags(request, job, configs)}


def _legacy_flags(
    request: JobRequest, job: FineTuningJob, configs: Mapping[str, JobConfig]
) -> dict[str, object]:
    bnb = quantisation(configs)
    return {
        "bnb_config": bnb.compact() if bnb else None,
        "lora_config": configs["lora_config"].compact(),
        "training_arguments_config": compact_json(training_settings(request, configs)),
        "dist_num": job.num_workers,
        "dist_mem": job.num_memory,
        "dist_gpu": job.num_gpu,
        "gpu_label_id": job.gpu_label_id,
    }


def _numbers(
    request: JobRequest, configs: Mapping[str, JobConfig], axolotl: AxolotlConfig | None
) -> tuple[float, float | None]:
    """Epochs and learning rate."""
    if axolotl is not None:
        return axolotl.epochs, axolotl.learning_rate
    training = training_settings(request, configs)
    return training["num_train_epochs"], float(training["learning_rate"])


def resources(request: JobRequest) -> tuple[int, int, int]:
    """CPUs, GPUs and GiB of memory of each worker."""
    agreed = Violations()
    cpu, gpu, memory = (r.agreed(agreed) for r in (request.cpu, request.gpu, request.memory))
    return cpu or 0, gpu or 0, memory or 0
