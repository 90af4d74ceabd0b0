"""Loading of the rows of a job."""

from pathlib import Path

from chassis.rpc.findings import ERROR, NOTICE, Findings
from ft.proto.inspection_pb2 import InspectJobRequest
from rows import reading, templates
from rows.chat.conversations import column_of, roles_of
from rows.errors import DataError, EmptyError
from services.inspection import rules
from services.inspection.data.rows import JobRows, asked_column, select_rows
from services.inspection.settings import JobSettings


def load_rows(
    request: InspectJobRequest, project: Path, hub_token: str | None, findings: Findings
) -> JobRows | None:
    """Loads the rows; returns None, with an error among the findings, if the job cannot have them.

    Returns None without a finding if the request has no dataset.
    """
    if not request.HasField("dataset"):
        return None
    settings, prompt = JobSettings(request), request.prompt
    try:
        roles_of(request.dataset)  # those of a record that was imported may be broken
        loaded = reading.read(request.dataset, project, hub_token)
    except DataError as error:
        findings.add(ERROR, "dataset_id", rules.READABLE, str(error))
        return None
    for notice in loaded.source.notices:
        findings.add(NOTICE, "dataset_id", rules.AS_WRITTEN, notice)
    used = {settings.template_name: settings.template}
    if not settings.tuning:
        used["completion_template"] = prompt.completion_template
    splits = loaded.splits.values()
    try:
        for name, template in used.items():
            for rows in splits:
                templates.check_columns(template, rows.column_names, name)
        for rows in splits:
            if settings.tuning:
                column_of(settings.template, rows)
            else:
                asked_column(request, rows)
    except DataError as error:
        findings.add(ERROR, "prompt_id", rules.COLUMNS, str(error))
        return None
    try:
        return select_rows(loaded, request)
    except EmptyError as error:
        findings.add(ERROR, "dataset_id", rules.ROWS_LEFT, str(error))
        return None
