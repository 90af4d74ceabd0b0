"""What the README shows in Python runs as printed, against a studio that has a little of each."""

import re
from pathlib import Path

import pytest

from ft import api
from tests.e2e.conftest import Studio, serving
from tests.support import REPOSITORY

pytestmark = pytest.mark.starts_processes

BLOCKS = re.findall(r"^```python\n(.*?)^```", (REPOSITORY / "README.md").read_text(), re.M | re.S)


def furnish(studio: Studio) -> None:
    """Registers a model, a small dataset and a prompt for it."""
    rows = "".join(f"cancel order {n},cancel_order\n" for n in range(20))
    (studio.project / "orders.csv").write_text(f"customer,action\n{rows}")
    with studio.client() as client:
        client.AddModel(api.AddModelRequest(type=api.ModelType.PROJECT, location="starter/model"))
        kind = api.DatasetType.PROJECT_CSV
        data = api.AddDatasetRequest(type=kind, name="orders", location="orders.csv")
        prompt = api.PromptMetadata(
            id="orders",
            name="orders",
            dataset_id=client.AddDataset(data).dataset.id,
            prompt_template="{customer}: {action}",
            input_template="{customer}:",
            completion_template=" {action}",
        )
        client.AddPrompt(api.AddPromptRequest(prompt=prompt))


def test_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path / "home") as studio:
        furnish(studio)
        address, _, port = studio.address.rpartition(":")
        assert address == "127.0.0.1"
        for block in BLOCKS:
            # Each alone, as a reader copies it.
            exec(block.replace("50051", port), {"__name__": "__main__"})
        said = capsys.readouterr().out
    dataset, trained, *refusals = said.splitlines()
    assert dataset.endswith('orders ["customer", "action"]')
    assert re.fullmatch(r"[0-9a-f-]{36} \d+\.\d+", trained), "the adapter's id and the loss"
    assert "location is required and must not be blank FT-001" in refusals
    assert any("no-such-model" in line for line in refusals)
    assert "1 1" in refusals, "a model and an adapter"
    assert "'loss'" in said, "the job's log"
