"""Looks at a request in place of starting it: every check of a start, and what is to be expected.

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
from services.fine_tuning.checks import Checks, References
from services.fine_tuning.peers import Peers
from services.fine_tuning.request import CONFIGS, JobRequest
from services.fine_tuning.rules import AXOLOTL_DECIDES, KEPT, OVERRULED
from services.fine_tuning.store import FineTuningJob, FineTuningStore

NEWEST = 5
"""How many earlier jobs a time is taken from."""
_ASIDE = (
    *("", "adapter_name", "cpu", "gpu", "gpu_label_id", "memory"),
    *("num_cpu", "num_gpu", "num_memory", "output_dir", "user_config", "user_config_id"),
)
"""Fields that say nothing of what is to be expected of a job."""


class Validation:
    """What a start would make of a request, and what is to be expected of the job."""

    def __init__(
        self, checks: Checks, jobs: FineTuningStore, peers: Peers, workspace: Workspace
    ) -> None:
        self._checks = checks
        self._jobs = jobs
        self._peers = peers
        self._workspace = workspace

    async def validate(self, request: JobRequest) -> ValidateFineTuningJobResponse:
        """Raises Unavailable, naming it, if a service that has to be asked is away."""
        findings = Findings()
        expected = await self._look(request, findings)
        expected.valid = findings.valid
        expected.findings.extend(findings.by_severity())
        return expected

    async def _look(self, request: JobRequest, findings: Findings) -> ValidateFineTuningJobResponse:
        references = await self._refused(request, findings)
        expected = ValidateFineTuningJobResponse()
        if references is None or findings.has_error_outside(_ASIDE):
            return expected
        with findings.catch_refusals():
            configs = await self._peers.configs.complete(
                unstored(request.config_texts), plan.needed(request), request.base_model_id
            )
            axolotl = references.axolotl.config if references.axolotl else None
            output_dir = request.output_dir or plan.DEFAULT_OUTPUT_DIR
            job = plan.record(request, configs, output_dir, axolotl)
            if axolotl is not None:
                _note_axolotl(request, findings)
            elif request.user_script:
                description = "what it makes of rows and settings is its own: neither is looked at"
                findings.add(NOTICE, "user_script", rules.OWN_SCRIPT, description)
            else:
                _note_without_effect(request, configs, job, findings)
                seen = await self._inspect(request, references, configs, job)
                findings.extend(seen.findings)
                expected = _expected(seen, self._jobs.alike(job, NEWEST))
        return expected

    async def _refused(self, request: JobRequest, findings: Findings) -> References | None:
        """What the request refers to, if all of it is there; notes what a start would refuse."""
        with findings.catch_refusals():
            self._checks.request(request)
        _, shared, _, references, _ = await asyncio.gather(
            findings.result_of(self._checks.available(request)),
            findings.result_of(self._checks.granted(request)),
            findings.result_of(self._checks.name(request.adapter_name)),
            findings.result_of(self._checks.references(request)),
            check_template(self._workspace, plan.template(request), findings),
        )
        # Of a number that is refused anyway, it is not told what so many would share.
        if not findings.has_error("num_workers"):
            for sentence in shared or ():
                findings.add(NOTICE, "num_workers", rules.SHARED, sentence)
        return references

    async def _inspect(
        self,
        request: JobRequest,
        references: References,
        configs: Mapping[str, JobConfig],
        job: FineTuningJob,
    ) -> InspectJobResponse:
        bnb = quantisation(configs)
        wanted = InspectJobRequest(
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
        return await self._peers.inspection(lambda s: s.InspectJob, wanted)


def _note_without_effect(
    request: JobRequest, configs: Mapping[str, JobConfig], job: FineTuningJob, findings: Findings
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


def _note_axolotl(request: JobRequest, findings: Findings) -> None:
    description = "Axolotl reads rows and settings by itself: neither is looked at"
    findings.add(NOTICE, "framework_type", rules.OWN_SCRIPT, description)
    given = [name for name in ("num_epochs", "learning_rate") if getattr(request, name) is not None]
    for name in (*given, *request.configs):
        description = "has no effect: the Axolotl config says it"
        findings.add(NOTICE, name, AXOLOTL_DECIDES, description)


def _expected(
    seen: InspectJobResponse, alike: Sequence[FineTuningJob]
) -> ValidateFineTuningJobResponse:
    data = seen.data if seen.HasField("data") else None
    return ValidateFineTuningJobResponse(
        data=data,
        memory=seen.memory if seen.HasField("memory") else None,
        time=_time(data, alike) if data is not None else None,
    )


def _time(data: DataSummary, alike: Sequence[FineTuningJob]) -> TimeEstimate | None:
    """How long the training takes at the usual speed of such jobs."""
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
