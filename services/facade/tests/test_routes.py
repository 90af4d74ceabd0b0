"""Routes come from the descriptors alone."""

from collections.abc import Sequence

import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from chassis.domains import DOMAIN_SERVICES
from ft.services import DATABASE, JOBS, SERVICES, STUDIO
from services.facade.aggregate import AGGREGATED
from services.facade.routes import RouteError, routes


def descriptors(**services: Sequence[tuple[str, str, bool]]) -> dict[str, ServiceDescriptor]:
    """Services by name, each with methods of a name, a type and whether they stream."""
    file = FileDescriptorProto(name="made_up.proto", package="made_up", syntax="proto3")
    for name in ("One", "Other"):
        file.message_type.add(name=name)
    for name, methods in services.items():
        service = file.service.add(name=name)
        for method, kind, streams in methods:
            service.method.add(
                name=method,
                input_type=f".made_up.{kind}",
                output_type=f".made_up.{kind}",
                server_streaming=streams,
            )
    pool = DescriptorPool()
    made = pool.AddSerializedFile(file.SerializeToString())
    return dict(made.services_by_name)


def test_public_rpcs_all_have_a_domain() -> None:
    assert len(STUDIO.methods) == 32
    table = {route.method.name: route.domains for route in routes(STUDIO, AGGREGATED)}
    assert set(table) == {method.name for method in STUDIO.methods} - set(AGGREGATED)
    assert all(len(domains) == 1 for domains in table.values())
    assert table["GetDatasetSplitByAdapter"] == ("fine_tuning",)
    assert table["ExportModel"] == ("models",)
    assert {domain for domains in table.values() for domain in domains} <= set(DOMAIN_SERVICES)


def test_domains_all_answer_a_public_rpc() -> None:
    answering = {
        domain
        for public in SERVICES
        for route in routes(public, AGGREGATED)
        for domain in route.domains
    }
    assert answering == set(DOMAIN_SERVICES)


def test_log_is_requested_from_every_domain_with_jobs() -> None:
    table = {route.method.name: route.domains for route in routes(JOBS, AGGREGATED)}
    assert table["TailLogs"] == ("models", "fine_tuning", "evaluation")


def test_database_is_answered_by_the_facade_alone() -> None:
    assert routes(DATABASE, AGGREGATED) == []


def test_new_rpc_needs_no_code_in_the_facade() -> None:
    made = descriptors(
        Public=[("Paint", "One", False), ("Watch", "Other", True), ("Both", "One", False)],
        Walls=[("Paint", "One", False), ("Both", "One", False), ("Secret", "One", False)],
        Doors=[("Watch", "Other", True), ("Both", "One", False)],
    )
    domains = {"walls": made["Walls"], "doors": made["Doors"]}
    table = {r.method.name: r.domains for r in routes(made["Public"], (), domains)}
    assert table == {"Paint": ("walls",), "Watch": ("doors",), "Both": ("walls", "doors")}


def test_aggregated_rpcs_need_no_domain() -> None:
    made = descriptors(Public=[("Export", "One", False)])
    assert routes(made["Public"], ("Export",), {}) == []


@pytest.mark.parametrize(
    "twin", [("Peint", "One", False), ("Paint", "Other", False), ("Paint", "One", True)]
)
def test_rpc_that_no_domain_answers_is_an_error(twin: tuple[str, str, bool]) -> None:
    made = descriptors(Public=[("Paint", "One", False)], Walls=[twin])
    with pytest.raises(RouteError, match=r"made_up\.Public\.Paint"):
        routes(made["Public"], (), {"walls": made["Walls"]})
