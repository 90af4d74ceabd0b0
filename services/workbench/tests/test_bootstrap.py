"""What a new project gets."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def test_starter_parts_are_copied_once(harness: Any, tmp_path: Path) -> None:
    source = tmp_path / "starter"
    for part in ("model", "recipe"):
        (source / part).mkdir(parents=True)
        (source / part / "file").write_text(part)
    harness.settings["FTS_WORKBENCH_STARTER_DIR"] = str(source)
    harness.start()
    copied = harness.project / "starter"
    assert [path.name for path in copied.iterdir()] == ["model"]
    (copied / "model" / "file").write_text("mine now")
    (source / "recipe").rename(source / "intents")
    harness.end()
    harness.start()
    assert (copied / "model" / "file").read_text() == "mine now"
    assert (copied / "intents" / "file").read_text() == "recipe"


def test_unusable_runtime_is_reported_and_not_served(harness: Any) -> None:
    harness.settings["FTS_WORKBENCH_PYTHON"] = "/nowhere/python"
    assert harness.spawn().wait(120) == 1
    said = harness.log.read_text()
    assert "FTS_WORKBENCH_PYTHON: /nowhere/python" in said
    assert "Traceback" not in said


def test_template_jobs_say_what_their_jobs_can_train_with(harness: Any, tmp_path: Path) -> None:
    def said() -> str:
        jobs = harness.start().list_jobs(harness.project_id).jobs
        [job] = [job for job in jobs if job.name == "Finetuning_Base_Job"]
        harness.end()
        return str(json.loads(job.environment)["FTS_FRAMEWORKS"])

    assert said() == "legacy"
    (tmp_path / "installed" / "axolotl").mkdir(parents=True)
    (tmp_path / "installed" / "axolotl" / "__init__.py").touch()
    places = [tmp_path / "installed", ROOT, ROOT / "shared"]
    harness.settings["PYTHONPATH"] = ":".join(map(str, places))
    assert said() == "legacy,axolotl"
