"""`fts jobs diff`: what may make the adapters of two jobs differ."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ft import api
from ft.cli.app import app
from ft.cli.exits import Exit

MANIFEST = {
    "seed": 42,
    "data": {"train_rows": 9, "train_sha256": "aa"},
    "prompt": {"prompt_template": {"sha256": "cc", "text": "Say {a}"}},
    "lora_config": {"target_modules": ["k", "q"]},
    "adapter": {"sha256": "bb"},
}


@pytest.fixture
def diff(server: Any, tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        where = ("--server", f"127.0.0.1:{server.port}", "--home", str(tmp_path / "home"))
        return CliRunner().invoke(app, ["jobs", "diff", *arguments, *where], catch_exceptions=False)

    return run


@pytest.fixture
def keep(studio: Any) -> Callable[..., None]:
    """Puts a job into the studio."""

    def put(id: str, manifest: dict[str, Any] | None = None, **fields: Any) -> None:
        text = json.dumps(manifest) if manifest else ""
        values = {"adapter_name": id, "out_dir": f"adapters/{id}", "base_model_id": "m", **fields}
        job = api.FineTuningJobMetadata(id=id, manifest=text, **values)
        studio.kept.setdefault("job", {})[id] = job

    return put


def test_jobs_with_equal_manifests_give_the_same_adapter(
    diff: Callable[..., Result], keep: Callable[..., None]
) -> None:
    keep("a", MANIFEST, base_model_id="m-1")
    keep("b", MANIFEST, base_model_id="m-2")  # The same model under another id.

    result = diff("a", "b")

    assert (result.exit_code, result.stdout) == (
        Exit.OK,
        "no differences: both jobs give the same adapter\n",
    )
    told = json.loads(diff("a", "b", "--json").stdout)
    assert told == {"compared": "manifests", "same": True, "differences": []}


def test_differences_are_named_with_both_values(
    diff: Callable[..., Result], keep: Callable[..., None]
) -> None:
    other = {
        "seed": 7,
        "prompt": {"prompt_template": {"sha256": "dd", "text": "Tell {a}"}},
        "lora_config": {"target_modules": ["k"]},
        "workers": 2,
    }
    keep("a", MANIFEST)
    keep("b", {**MANIFEST, **other})

    result = diff("a", "b")

    assert result.exit_code == Exit.FAILED
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == [
        "FIELD",
        "seed",
        "prompt.prompt_template",
        "lora_config.target_modules",
        "workers",
    ]
    assert lines[1][1].split() == ["42", "7"]
    assert "Say {a}" in lines[2][1]
    assert '["k", "q"]' in lines[3][1]
    told = json.loads(diff("a", "b", "--json").stdout)
    assert told["differences"][0] == {"field": "seed", "a": 42, "b": 7}


def test_different_weights_of_the_same_origin_are_reported(
    diff: Callable[..., Result], keep: Callable[..., None]
) -> None:
    keep("a", MANIFEST)
    keep("b", {**MANIFEST, "adapter": {"sha256": "ee"}})

    result = diff("a", "b")

    assert result.exit_code == Exit.FAILED
    assert "only the weights differ" in result.stdout


def test_jobs_without_a_manifest_are_compared_by_their_settings(
    diff: Callable[..., Result], keep: Callable[..., None]
) -> None:
    keep("a", MANIFEST, lora_config='{"r": 4}')
    keep("b", lora_config='{"r": 8}', base_model_id="m-2")
    keep("c", lora_config='{"r": 8}', base_model_id="m-2")

    result = diff("a", "b")
    assert result.exit_code == Exit.FAILED
    fields = [line.split()[0] for line in result.stdout.splitlines()]
    assert fields[:3] == ["FIELD", "base_model_id", "lora_config.r"]
    assert "a job has no manifest" in result.stdout
    same = diff("b", "c")
    assert same.exit_code == Exit.OK
    assert "the requests do not differ" in same.stdout


def test_incomparable_jobs_are_refused(
    diff: Callable[..., Result], keep: Callable[..., None], studio: Any
) -> None:
    keep("a", MANIFEST)
    studio.kept["evaluation"] = {"e": api.EvaluationJobMetadata(id="e")}

    assert diff("a", "nope").exit_code == Exit.NOT_FOUND
    assert diff("a", "e").exit_code == Exit.USAGE
