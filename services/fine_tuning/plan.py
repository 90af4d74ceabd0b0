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
from services.fine_tuning.request import CONFIGS, FIELD_OF_SETTING, FineTuningRequest
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
DEFAULT_EPOCHS = 1
DEFAULT_LEARNING_RATE = 2e-4


def template(request: FineTuningRequest) -> str:
    """Name of the template job that the request's job is made from."""
    return TEMPLATES.get(request.framework_type, DEFAULT_TEMPLATE)


def needed(request: FineTuningRequest) -> Sequence[str]:
    """Configs that the job has to have."""
    return () if request.is_axolotl else NEEDED


def record(
    request: FineTuningRequest,
    configs: Mapping[str, JobConfig],
    output_dir: str,
    axolotl: AxolotlConfig | None = None,
) -> FineTuningJob:
    """Returns the job's record, with copies of the configs, so that it is complete without them.

    Raises InvalidArgument if an argument of the job cannot be carried.
    """
    cpu, gpu, memory = resources(request)
    if axolotl is None:
        training = training_settings(request, configs)
        epochs, rate = training["num_train_epochs"], training["learning_rate"]
    else:
        epochs, rate = axolotl.epochs, axolotl.learning_rate
    user_config = configs.get("user_config")
    id = new_id()
    values = {
        **request.columns(FineTuningJob),
        **columns(configs, CONFIGS),
        "num_cpu": cpu,
        "num_gpu": gpu,
        "num_memory": memory,
        "num_epochs": math.ceil(epochs),
        "learning_rate": None if rate is None else float(rate),
        "out_dir": f"{output_dir.rstrip('/')}/{id}",
        "user_config": user_config.text if user_config else None,
        "user_config_id": user_config.id if user_config else request.user_config_id,
    }
    job = FineTuningJob(id=id, **values)
    job.spec = JobSpec(
        template=template(request),
        script=request.user_script,
        arguments=encode(_flags(request, job, configs)),
        cpu=cpu,
        memory=memory,
        gpu=gpu,
        gpu_label_id=request.gpu_label_id,
        workers=request.num_workers,
        title=request.adapter_name,
    ).stored()
    return job


def training_settings(
    request: FineTuningRequest, configs: Mapping[str, JobConfig]
) -> dict[str, Any]:
    """Returns the settings of the training.

    Fields of the request take precedence over the config, and the config over the defaults.
    """
    settings: dict[str, Any] = json.loads(configs["training_arguments_config"].text)
    fields = {setting: getattr(request, own) for setting, own in FIELD_OF_SETTING.items()}
    defaults = {"num_train_epochs": DEFAULT_EPOCHS, "learning_rate": DEFAULT_LEARNING_RATE}
    given = {name: value for name, value in fields.items() if value is not None}
    return {**defaults, **settings, **given}


def _flags(
    request: FineTuningRequest, job: FineTuningJob, configs: Mapping[str, JobConfig]
) -> dict[str, object]:
    """Returns the flags of the trainer's script, which has these names since its first version."""
    flags: dict[str, object] = {
        **request.flags(),
        "experimentid": job.id,
        "out_dir": job.out_dir,
        "train_out_dir": job.folder(),
        "adapter_name": request.adapter_name,
        "finetuning_framework_type": request.framework_type,
        "user_config_id": job.user_config_id,
        "dist_cpu": job.num_cpu,
    }
    if request.is_axolotl:
        return {**flags, "axolotl_config_id": request.axolotl_config_id}
    bnb = quantisation(configs)
    return {
        **flags,
        "bnb_config": bnb.compact() if bnb else None,
        "lora_config": configs["lora_config"].compact(),
        "training_arguments_config": compact_json(training_settings(request, configs)),
        "dist_num": request.num_workers,
        "dist_mem": job.num_memory,
        "dist_gpu": job.num_gpu,
        "gpu_label_id": request.gpu_label_id,
    }


def resources(request: FineTuningRequest) -> tuple[int, int, int]:
    """CPUs, GPUs and GiB of memory of each worker."""
    agreed = Violations()
    cpu, gpu, memory = (r.agreed(agreed) for r in (request.cpu, request.gpu, request.memory))
    return cpu or 0, gpu or 0, memory or 0
