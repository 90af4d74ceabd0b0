"""One inspection, in the process that was started for it."""

from pathlib import Path

from chassis.rpc.findings import NOTICE, WARNING, Findings
from ft.proto.fine_tuning_studio_jobs_pb2 import DataSummary
from ft.proto.inspection_pb2 import InspectionWork, InspectJobResponse
from services.inspection import rules
from services.inspection.data.inspection import inspect_rows
from services.inspection.data.loading import load_rows
from services.inspection.data.texts import TextStatistics
from services.inspection.model import memory, weights
from services.inspection.model.inspection import check_settings, inspect_model
from services.inspection.settings import JobSettings
from services.inspection.steps import count_steps


def inspect_job(work: InspectionWork, hub_token: str | None) -> InspectJobResponse:
    """Checks a job's model, rows and settings, and estimates its tokens, steps and memory."""
    settings, findings = JobSettings(work.request), Findings()
    model = inspect_model(work, findings)
    context = settings.context(model.config)
    rows = load_rows(work.request, Path(work.project), hub_token, findings)
    statistics = TextStatistics()
    if rows is not None:
        statistics = inspect_rows(work, rows, model.tokenizer, context, findings)
    estimate = None
    if shapes := model.shapes or weights.of_config(model.config):
        check_settings(settings, model, findings)
        row_tokens = min(filter(None, (statistics.longest, context)), default=0)
        estimate = memory.estimate(settings, shapes, model.config, row_tokens)
        if not settings.request.gpu and estimate.gib > estimate.asked_gib:
            description = (
                f"{estimate.asked_gib:g} GiB are requested, but the job is expected to need "
                f"{estimate.gib:.1f} GiB"
            )
            findings.add(WARNING, "memory", rules.MEMORY, description)
    else:
        description = "memory was not estimated: the model's files do not show its size"
        findings.add(NOTICE, "base_model_id", rules.MODEL_FILES, description)
    data = None
    if rows is not None:
        per_epoch, total_steps = count_steps(settings, len(rows.used), findings)
        data = DataSummary(
            rows=rows.total,
            used_rows=len(rows.used),
            held_out_rows=len(rows.held_out),
            tokens=statistics.tokens,
            longest_row_tokens=statistics.longest,
            context_tokens=context,
            steps_per_epoch=per_epoch,
            total_steps=total_steps,
            pad_token=model.pad_token,
        )
    return InspectJobResponse(findings=findings.found, data=data, memory=estimate)
