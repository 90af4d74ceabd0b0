"""The domains of the studio: the one list that processes, health, routes and imports go by."""

from dataclasses import dataclass

from ft.job_protocol.reports import JobKind


@dataclass(frozen=True, slots=True)
class Domain:
    """One part of the studio with a process and a table of its own."""

    name: str
    """Name of its process, of its health entry and of its folder below `services/`."""
    table: str
    """Name of the contract's table of its records in an export."""
    service: str
    """Name of its service in `proto/domains.proto`."""
    more_tables: tuple[str, ...] = ()
    """Names of the studio's own tables that exports carry as well."""
    keeps_requests: bool = True
    """True if ids of Add requests are kept in a separate table. Jobs keep theirs in the record."""
    job_kind: JobKind | None = None
    """Kind of the jobs that the domain owns; None if it has no jobs."""


DOMAINS = {
    domain.name: domain
    for domain in (
        Domain("datasets", "datasets", "Datasets"),
        Domain(
            "models",
            "models",
            "Models",
            ("export_jobs", "export_job_events"),
            job_kind=JobKind.EXPORT,
        ),
        Domain("adapters", "adapters", "Adapters"),
        Domain("prompts", "prompts", "Prompts"),
        Domain("configs", "configs", "Configs"),
        Domain(
            "fine_tuning",
            "fine_tuning_jobs",
            "FineTuning",
            ("fine_tuning_job_events",),
            keeps_requests=False,
            job_kind=JobKind.FINE_TUNING,
        ),
        Domain(
            "evaluation",
            "evaluation_jobs",
            "Evaluation",
            ("evaluation_job_events",),
            keeps_requests=False,
            job_kind=JobKind.EVALUATION,
        ),
    )
}
"""In the order in which exports list their tables and imports go through them."""
DOMAIN_OF_KIND: dict[str, str] = {
    domain.job_kind: name for name, domain in DOMAINS.items() if domain.job_kind is not None
}
"""Name of the domain that owns the jobs of each kind."""
