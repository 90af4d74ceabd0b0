"""Validates a request without starting it: the checks of a start, and estimates of the job.

Changes nothing: no record, no config, no directory, no job.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from statistics import median

from chassis.rpc.findings import NOTICE, Findings
from ft.configs.training import checkpoint_notices
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    DataSummary,
    TimeEstimate,
    ValidateFineTuningJobResponse,
)
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from jobs import rules
from jobs.requests.arguments import compact_json
from jobs.requests.configs import JobConfig, quantisation, unstored
from jobs.requests.settings import without_effect
from jobs.requests.validation import check_template
from jobs.workspace.client import Workspace
from services.fine_tuning import plan
from services.fine_tuning.checks import FineTuningChecks, FineTuningReferences
from services.fine_tuning.peers import FineTuningPeers
from services.fine_tuning.request import CONFIGS, FIELD_OF_SETTING, FineTuningRequest
from services.fine_tuning.rules import AXOLOTL_DECIDES, KEPT, OVERRULED
from services.fine_tuning.store import FineTuningJob, FineTuningStore

NEWEST = 5
"""Number of earlier jobs that a time is estimated from."""
_ASIDE = (
    *("", "adapter_name", "cpu", "gpu", "gpu_label_id", "memory"),
    *("num_cpu", "num_gpu", "num_memory", "output_dir", "user_config", "user_config_id"),
)
"""Fields that the estimates do not depend on."""


class FineTuningValidator:
    """Checks requests as a start does, and estimates data, memory and time of their jobs."""

    def __init__(
        self,
        checks: FineTuningChecks,
        jobs: FineTuningStore,
        peers: FineTuningPeers,
        workspace: Workspace,
    ) -> None:
        self._checks = checks
        self._jobs = jobs
        self._peers = peers
        self._workspace = workspace

    async def validate(self, *, request: FineTuningRequest) -> ValidateFineTuningJobResponse:
        """Returns all findings about the request, and estimates if it is valid enough.

        Raises Unavailable, naming the service, if one that has to be asked does not answer.
        """
        findings = Findings()
        references = await self._run_checks(request, findings)
        response = ValidateFineTuningJobResponse()
        if references is not None and not findings.has_error_outside(_ASIDE):
            await self._estimate(request, references, findings, response)
        response.valid = findings.valid
        response.findings.extend(findings.by_severity())
        return response

    async def _estimate(
        self,
        request: FineTuningRequest,
        references: FineTuningReferences,
        findings: Findings,
        response: ValidateFineTuningJobResponse,
    ) -> None:
        """Inspects what the job would work on; fills in the response."""
        with findings.catch_refusals():
            configs = await self._peers.configs.complete(
                unstored(request.config_texts), plan.needed(request), request.base_model_id
            )
            axolotl = references.axolotl.config if references.axolotl else None
            output_dir = request.output_dir or plan.DEFAULT_OUTPUT_DIR
            job = plan.record(request, configs, output_dir, axolotl)
            if axolotl is not None:
                description = "rows and settings are not checked: Axolotl reads them itself"
                findings.add(NOTICE, "framework_type", rules.OWN_SCRIPT, description)
                numbers = request.values(FIELD_OF_SETTING.values()).items()
                given = [name for name, number in numbers if number is not None]
                for name in (*given, *request.configs):
                    description = "has no effect: set it in the Axolotl config"
                    findings.add(NOTICE, name, AXOLOTL_DECIDES, description)
            elif request.user_script:
                description = "rows and settings are not checked: the script decides about them"
                findings.add(NOTICE, "user_script", rules.OWN_SCRIPT, description)
            else:
                _note_without_effect(request, configs, job, findings)
                seen = await self._inspect(request, references, configs, job)
                findings.extend(seen.findings)
                if seen.HasField("memory"):
                    response.memory.CopyFrom(seen.memory)
                if seen.HasField("data"):
                    response.data.CopyFrom(seen.data)
                    time = _estimate_time(seen.data, self._jobs.alike(job, NEWEST))
                    if time is not None:
                        response.time.CopyFrom(time)

    async def _run_checks(
        self, request: FineTuningRequest, findings: Findings
    ) -> FineTuningReferences | None:
        """Runs every check of a start; returns the records that the request refers to."""
        with findings.catch_refusals():
            self._checks.check_request(request)
        _, shared, _, references, _ = await asyncio.gather(
            findings.result_of(self._checks.require_available(request)),
            findings.result_of(self._checks.require_granted(request)),
            findings.result_of(self._checks.require_name(request.adapter_name)),
            findings.result_of(self._checks.find_references(request)),
            check_template(self._workspace, plan.template(request), findings),
        )
        # A number of workers that is refused needs no notice.
        if not findings.has_error("num_workers"):
            for sentence in shared or ():
                findings.add(NOTICE, "num_workers", rules.SHARED, sentence)
        return references

    async def _inspect(
        self,
        request: FineTuningRequest,
        references: FineTuningReferences,
        configs: Mapping[str, JobConfig],
        job: FineTuningJob,
    ) -> InspectJobResponse:
        bnb = quantisation(configs)
        inspected = InspectJobRequest(
            kind="fine_tuning",
            model=references.model,
            dataset=references.dataset,
            prompt=references.prompt,
            dataset_fraction=request.dataset_fraction,
            train_test_split=request.train_test_split,
            training_arguments_json=compact_json(plan.training_settings(request, configs)),
            lora_config_json=configs["lora_config"].text,
            bnb_config_json=bnb.text if bnb else "",
            gpu=job.num_gpu or 0,
            memory_gib=job.num_memory or 0,
            num_workers=request.num_workers,
        )
        return await self._peers.inspection(lambda s: s.InspectJob, inspected)


def _note_without_effect(
    request: FineTuningRequest,
    configs: Mapping[str, JobConfig],
    job: FineTuningJob,
    findings: Findings,
) -> None:
    """Notes settings that have no effect, of shipped configs too."""
    settings = {name: json.loads(config.text) for name, config in configs.items()}
    settings["training_arguments_config"] = plan.training_settings(request, configs)
    for name in CONFIGS:
        given, gpus = settings.get(name, {}), job.num_gpu or 0
        for clause in without_effect(name, given, gpus, request.num_workers):
            findings.add(NOTICE, name, rules.NO_EFFECT, clause)
    for field, clause in request.overruled():
        findings.add(NOTICE, field, OVERRULED, clause)
    for clause in checkpoint_notices(settings["training_arguments_config"]):
        findings.add(NOTICE, "training_arguments_config", KEPT, clause)


def _estimate_time(data: DataSummary, alike: Sequence[FineTuningJob]) -> TimeEstimate | None:
    """Returns the time that the training takes at the median speed of such jobs."""
    speeds = [job.tokens_per_second for job in alike if job.tokens_per_second]
    if not speeds or not data.tokens or not data.steps_per_epoch:
        return None
    speed = median(speeds)
    # In steps, since settings may end the training within a pass.
    passes = data.total_steps / data.steps_per_epoch
    return TimeEstimate(
        seconds=data.tokens * passes / speed,
        tokens_per_second=speed,
        job_ids=[job.id for job in alike],
    )
