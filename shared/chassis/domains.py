"""The domains of the studio, by the name of the service that owns each, and typed calls to them."""

from typing import TYPE_CHECKING

from google.protobuf.descriptor import ServiceDescriptor

from chassis.config import Settings
from chassis.rpc.peers import Peer
from ft.domains import DOMAINS
from ft.proto import (
    domains_pb2,
    inspection_pb2,
    inspection_pb2_grpc,
    tables_pb2,
    tables_pb2_grpc,
)
from ft.proto import domains_pb2_grpc as stubs

if TYPE_CHECKING:
    from ft.proto.domains_pb2_grpc import (
        AdaptersAsyncStub,
        ConfigsAsyncStub,
        DatasetsAsyncStub,
        FineTuningAsyncStub,
        ModelsAsyncStub,
        PromptsAsyncStub,
    )
    from ft.proto.inspection_pb2_grpc import InspectionAsyncStub
    from ft.proto.tables_pb2_grpc import TablesAsyncStub

DOMAIN_SERVICES: dict[str, ServiceDescriptor] = {
    name: domains_pb2.DESCRIPTOR.services_by_name[domain.service]
    for name, domain in DOMAINS.items()
}
"""Service of each domain."""
TABLES: ServiceDescriptor = tables_pb2.DESCRIPTOR.services_by_name["Tables"]
"""Service that every domain serves in addition to its own: export and import of its tables."""
TABLE_OF = {name: domain.table for name, domain in DOMAINS.items()}
"""Table of the contract, by domain."""
MORE_TABLES_OF = {name: domain.more_tables for name, domain in DOMAINS.items()}
"""Further tables that exports contain, by domain."""
DECIDER = "configs"
"""The domain that decides whether an import is committed."""

INSPECTION: ServiceDescriptor = inspection_pb2.DESCRIPTOR.services_by_name["Inspection"]
"""Service that checks data, tokenizer and model of a job. It is not a domain: it stores nothing."""


def datasets(settings: Settings) -> "Peer[DatasetsAsyncStub]":
    """The datasets service."""
    return Peer("datasets", settings, DOMAIN_SERVICES["datasets"], stubs.DatasetsStub)


def models(settings: Settings) -> "Peer[ModelsAsyncStub]":
    """The models service."""
    return Peer("models", settings, DOMAIN_SERVICES["models"], stubs.ModelsStub)


def adapters(settings: Settings) -> "Peer[AdaptersAsyncStub]":
    """The adapters service."""
    return Peer("adapters", settings, DOMAIN_SERVICES["adapters"], stubs.AdaptersStub)


def prompts(settings: Settings) -> "Peer[PromptsAsyncStub]":
    """The prompts service."""
    return Peer("prompts", settings, DOMAIN_SERVICES["prompts"], stubs.PromptsStub)


def configs(settings: Settings) -> "Peer[ConfigsAsyncStub]":
    """The configs service."""
    return Peer("configs", settings, DOMAIN_SERVICES["configs"], stubs.ConfigsStub)


def fine_tuning(settings: Settings) -> "Peer[FineTuningAsyncStub]":
    """The fine-tuning service."""
    return Peer("fine_tuning", settings, DOMAIN_SERVICES["fine_tuning"], stubs.FineTuningStub)


def inspection(settings: Settings) -> "Peer[InspectionAsyncStub]":
    """The inspection service."""
    return Peer("inspection", settings, INSPECTION, inspection_pb2_grpc.InspectionStub)


def tables(domain: str, settings: Settings) -> "Peer[TablesAsyncStub]":
    """The tables of one of the domains."""
    return Peer(domain, settings, TABLES, tables_pb2_grpc.TablesStub)
