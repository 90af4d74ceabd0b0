"""What the start of a job costs: commits, and calls to other services."""

from pathlib import Path

from chassis.testing.costs import counted, idle_services
from jobs.testing import WorkbenchProcess
from services.fine_tuning.tests.studio import PEERS, TRAINS, Studio


async def test_start_costs_four_commits(tmp_path: Path, workspace: WorkbenchProcess) -> None:
    async with idle_services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        with counted() as costs:
            job = await studio.start(TRAINS)
        # The record, the mark of the request for the workspace's job, that job with the mark of the
        # request for its run, and the run.
        # Adapter, model, dataset, prompt, two shipped configs, and the model's family for each.
        costs.assert_at_most(statements=34, commits=4, hops=8)
        assert job.cml_job_id
        await studio.close()
