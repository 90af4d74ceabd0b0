"""The machine: its runtime and its accelerators."""

import cmlapi
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench
from services.workbench.store.tables import AcceleratorRow, RuntimeRow

_RUNTIMES = ListOperation("list_runtimes", RuntimeRow, cmlapi.Runtime)
_ACCELERATORS = ListOperation(
    "list_all_accelerator_node_labels", AcceleratorRow, cmlapi.AcceleratorNodeLabel
)


async def list_runtimes(bench: Bench, query: ListParameters) -> cmlapi.ListRuntimesResponse:
    """List runtimes: there is one."""
    rows, token = bench.database.read(lambda s: _RUNTIMES.page(s, query))
    return cmlapi.ListRuntimesResponse(
        runtimes=[views.document(cmlapi.Runtime, row) for row in rows], next_page_token=token
    )


async def list_all_accelerator_node_labels(
    bench: Bench, query: ListParameters
) -> cmlapi.ListAllAcceleratorsNodeLabelsResponse:
    """List the kinds of GPU there are."""
    rows, token = bench.database.read(lambda s: _ACCELERATORS.page(s, query))
    labels = [
        views.document(
            cmlapi.AcceleratorNodeLabel,
            row,
            max_gpu_count=str(row.max_gpu_count),
            max_gpu_per_workload=str(row.max_gpu_per_workload),
        )
        for row in rows
    ]
    return cmlapi.ListAllAcceleratorsNodeLabelsResponse(
        accelerator_node_label=labels, next_page_token=token
    )
