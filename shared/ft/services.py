"""The gRPC services of a studio: the contract's own first, then the studio's additions."""

from google.protobuf.descriptor import MethodDescriptor

from ft.proto import fine_tuning_studio_database_pb2 as database_pb2
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs_pb2
from ft.proto import fine_tuning_studio_pb2 as studio_pb2

STUDIO = studio_pb2.DESCRIPTOR.services_by_name["FineTuningStudio"]
JOBS = jobs_pb2.DESCRIPTOR.services_by_name["FineTuningStudioJobs"]
DATABASE = database_pb2.DESCRIPTOR.services_by_name["FineTuningStudioDatabase"]
SERVICES = (STUDIO, JOBS, DATABASE)

METHODS: dict[str, MethodDescriptor] = {
    method.name: method for service in SERVICES for method in service.methods
}
"""Every RPC by its name; no two services share one."""
