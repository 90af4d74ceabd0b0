# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `CreateJobRequest` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel
from cmlapi.models.job_recipient import JobRecipient


@dataclass(repr=False, eq=False)
class CreateJobRequest(ApiModel):
    """The API's `CreateJobRequest` document."""

    project_id: str | None = None
    name: str | None = None
    script: str | None = None
    cpu: float | None = None
    memory: float | None = None
    nvidia_gpu: int | None = None
    parent_job_id: str | None = None
    environment: dict[str, str] | None = None
    arguments: str | None = None
    timeout: int | None = None
    schedule: str | None = None
    kernel: str | None = None
    recipients: list[JobRecipient] | None = None
    attachments: list[str] | None = None
    runtime_identifier: str | None = None
    runtime_addon_identifiers: list[str] | None = None
    kill_on_timeout: bool | None = None
    timezone: str | None = None
    paused: bool | None = None
    parent_id: str | None = None
    success_recipients: str | None = None
    failure_recipients: str | None = None
    timeout_recipients: str | None = None
    stopped_recipients: str | None = None
    run_as: int | None = None
    accelerator_label_id: str | int | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "project_id": "str",
        "name": "str",
        "script": "str",
        "cpu": "float",
        "memory": "float",
        "nvidia_gpu": "int",
        "parent_job_id": "str",
        "environment": "dict(str, str)",
        "arguments": "str",
        "timeout": "int",
        "schedule": "str",
        "kernel": "str",
        "recipients": "list[JobRecipient]",
        "attachments": "list[str]",
        "runtime_identifier": "str",
        "runtime_addon_identifiers": "list[str]",
        "kill_on_timeout": "bool",
        "timezone": "str",
        "paused": "bool",
        "parent_id": "str",
        "success_recipients": "str",
        "failure_recipients": "str",
        "timeout_recipients": "str",
        "stopped_recipients": "str",
        "run_as": "int",
        "accelerator_label_id": "str",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "project_id": "project_id",
        "name": "name",
        "script": "script",
        "cpu": "cpu",
        "memory": "memory",
        "nvidia_gpu": "nvidia_gpu",
        "parent_job_id": "parent_job_id",
        "environment": "environment",
        "arguments": "arguments",
        "timeout": "timeout",
        "schedule": "schedule",
        "kernel": "kernel",
        "recipients": "recipients",
        "attachments": "attachments",
        "runtime_identifier": "runtime_identifier",
        "runtime_addon_identifiers": "runtime_addon_identifiers",
        "kill_on_timeout": "kill_on_timeout",
        "timezone": "timezone",
        "paused": "paused",
        "parent_id": "parent_id",
        "success_recipients": "success_recipients",
        "failure_recipients": "failure_recipients",
        "timeout_recipients": "timeout_recipients",
        "stopped_recipients": "stopped_recipients",
        "run_as": "run_as",
        "accelerator_label_id": "accelerator_label_id",
    }
