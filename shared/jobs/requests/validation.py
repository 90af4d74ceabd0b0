"""Checks of a job that is validated without being started, which all job domains have in common."""

from chassis.rpc.errors import DeadlineExceeded, Refusal, ResourceExhausted, Unavailable
from chassis.rpc.findings import ERROR, WARNING, Findings
from jobs import rules
from jobs.workspace.client import Workspace

_TRANSIENT = (DeadlineExceeded, ResourceExhausted, Unavailable)


async def check_template(workspace: Workspace, name: str, findings: Findings) -> None:
    """Adds a finding if the workspace cannot take a job; a warning if that may pass."""
    try:
        await workspace.template(name)
    except Refusal as refusal:
        severity = WARNING if isinstance(refusal, _TRANSIENT) else ERROR
        findings.add(severity, "", rules.TEMPLATE, refusal.message)
