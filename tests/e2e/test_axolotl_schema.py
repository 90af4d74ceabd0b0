"""What the studio refuses of an Axolotl config, Axolotl itself refuses as well."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.requests.settings import SCHEMAS
from services.fine_tuning.axolotl_settings import faults
from tests.support import REPOSITORY

pytestmark = pytest.mark.starts_processes

AXOLOTL_PYTHON = REPOSITORY / ".venv-axolotl/bin/python"
RIGHT: dict[str, Any] = {
    "base_model": "m",
    "datasets": [{"path": "p", "type": "alpaca"}],
    "micro_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "learning_rate": 1e-4,
    "adapter": "lora",
    "sequence_len": 16,
}
ODD = ("?", "8", "yes", 2, 0.5, True, [], ["a"], [[1]], {}, {"a": "b"})
CASES = 150
ASK = """
import json, sys
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault

accepted = []
for config in json.load(open(sys.argv[1])):
    try:
        validate_config(DictDefault(config))
        accepted.append(config)
    except Exception:
        pass
print(json.dumps(accepted))
"""


def refused() -> list[dict[str, Any]]:
    """Configs with one wrong value each, which the studio refuses for it; some of very many."""
    schema = json.loads((SCHEMAS / "axolotl.json").read_text())
    of_rows = schema["$defs"]["SFTDataset"]["properties"]
    configs = [{**RIGHT, name: odd} for name in schema["properties"] for odd in ODD]
    configs += [
        {**RIGHT, "datasets": [{**RIGHT["datasets"][0], name: odd}]}
        for name in of_rows
        for odd in ODD
    ]
    wrong = [config for config in configs if faults(yaml.safe_dump(config))]
    return wrong[:: len(wrong) // CASES]


@pytest.mark.skipif(
    not AXOLOTL_PYTHON.exists(), reason="there is no environment with Axolotl: make env-axolotl"
)
@pytest.mark.timeout(300)
def test_axolotl_refuses_what_the_studio_refuses(tmp_path: Path) -> None:
    assert faults(yaml.safe_dump(RIGHT)) == []
    file = tmp_path / "configs.json"
    file.write_text(json.dumps([RIGHT, *refused()]))
    asked = subprocess.run(
        [str(AXOLOTL_PYTHON), "-c", ASK, str(file)],
        env={"PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(asked.stdout.splitlines()[-1]) == [RIGHT]
