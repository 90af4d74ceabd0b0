"""What a new project gets."""

from pathlib import Path
from typing import Any


def test_each_part_of_the_starter_is_copied_once(harness: Any, tmp_path: Path) -> None:
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


def test_unusable_runtime_is_said_and_not_served(harness: Any) -> None:
    harness.settings["FTS_WORKBENCH_PYTHON"] = "/nowhere/python"
    assert harness.spawn().wait(20) == 1
    said = harness.log.read_text()
    assert "FTS_WORKBENCH_PYTHON: /nowhere/python" in said
    assert "Traceback" not in said
