"""Validates a request without starting it: the checks of a start, and estimates of the jobs.

Changes nothing: no record, no config, no job.
"""

import asyncio
import json

from chassis.rpc.findings import NOTICE, Findings
from ft.job_protocol import template_jobs
from ft.proto.fine_tuning_studio_jobs_pb2 import ValidateEvaluationJobResponse
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from jobs import rules
from jobs.requests.configs import quantisation, unstored
from jobs.requests.settings import without_effect
from jobs.requests.validation import check_template
from jobs.workspace.client import Workspace
from services.evaluation import plan
from services.evaluation.checks import EvaluationChecks, EvaluationReferences
from services.evaluation.peers import EvaluationPeers
from services.evaluation.request import EvaluationRequest

_ASIDE = ("", "type", "cpu", "gpu", "gpu_label_id", "memory", "selected_features")
"""Fields that the estimates do not depend on."""


class EvaluationValidator:
    """Checks requests as a start does, and estimates data and memory of their jobs."""

    def __init__(
        self, checks: EvaluationChecks, peers: EvaluationPeers, workspace: Workspace
    ) -> None:
        self._checks = checks
        self._peers = peers
        self._workspace = workspace

    async def validate(self, *, request: EvaluationRequest) -> ValidateEvaluationJobResponse:
        """Returns all findings about the request, and estimates if it is valid enough.

        Raises Unavailable, naming the service, if one that has to be asked does not answer.
        """
        findings = Findings()
        with findings.catch_refusals():
            self._checks.check_request(request)
        references, _, _ = await asyncio.gather(
            findings.result_of(self._checks.find_references(request)),
            findings.result_of(self._checks.require_granted(request)),
            check_template(self._workspace, template_jobs.EVALUATION, findings),
        )
        seen: list[InspectJobResponse] = []
        if findings.valid:
            await self._note_without_effect(request, findings)
        if references is not None and not findings.has_error_outside(_ASIDE):
            seen = await findings.result_of(self._inspect(request, references)) or []
        for one in seen:
            findings.extend(one.findings)
        sized = [one.memory for one in seen if one.HasField("memory")]
        return ValidateEvaluationJobResponse(
            valid=findings.valid,
            findings=findings.by_severity(),
            data=next((one.data for one in seen if one.HasField("data")), None),
            memory=max(sized, key=lambda memory: memory.gib, default=None),
        )

    async def _note_without_effect(self, request: EvaluationRequest, findings: Findings) -> None:
        """Notes settings that have no effect, of shipped configs too."""
        given = unstored(request.configs)
        model_id = next(iter(request.combinations))[0]
        configs = await findings.result_of(
            self._peers.configs.complete(given, plan.NEEDED, model_id)
        )
        for name, config in (configs or {}).items():
            for clause in without_effect(name, json.loads(config.text), request.gpu):
                findings.add(NOTICE, name, rules.NO_EFFECT, clause)

    async def _inspect(
        self, request: EvaluationRequest, references: EvaluationReferences
    ) -> list[InspectJobResponse]:
        fraction, split = await self._peers.split(request.comparison_adapter)
        common = InspectJobRequest(
            kind="evaluation",
            dataset=references.dataset,
            prompt=references.prompt,
            dataset_fraction=fraction,
            train_test_split=split,
            eval_dataset_fraction=request.eval_dataset_fraction,
            gpu=request.gpu,
            memory_gib=request.memory,
            num_workers=1,
            fit_answer_length=request.fit_answer_length,
            comparison_adapter=references.adapters.get(request.comparison_adapter),
        )
        # One after the other: an inspection may take much of a machine.
        return [
            await self._inspect_model(request, model, references, common)
            for model in references.models.values()
        ]

    async def _inspect_model(
        self,
        request: EvaluationRequest,
        model: ModelMetadata,
        references: EvaluationReferences,
        common: InspectJobRequest,
    ) -> InspectJobResponse:
        given = unstored(request.configs)
        configs = await self._peers.configs.complete(given, plan.NEEDED, model.id)
        bnb = quantisation(configs)
        used = [adapter for base, adapter in request.combinations if base == model.id]
        inspected = InspectJobRequest(
            model=model,
            adapters=[references.adapters[id] for id in used if id],
            alone="" in used,
            generation_config_json=configs["generation_config"].text,
            bnb_config_json=bnb.text if bnb else "",
        )
        inspected.MergeFrom(common)
        seen = await self._peers.inspection(lambda s: s.InspectJob, inspected)
        place = [base for base, _ in request.combinations].index(model.id)
        for finding in seen.findings:
            if finding.field == "base_model_id":
                finding.field = f"model_adapter_combinations[{place}].base_model_id"
        return seen
