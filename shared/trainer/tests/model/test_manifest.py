"""Manifests of adapters."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from rows import canonical
from trainer.errors import SettingsError
from trainer.model.hashes import HashCache
from trainer.tests.studio import Studio
from trainer.tests.support import Run

Train = Callable[..., Run]


def manifest(run: Run) -> dict[str, Any]:
    folder = run.folder.parents[1] / "adapters" / run.folder.name
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_manifest_names_everything_that_an_adapter_comes_from(
    train: Train, studio: Studio, project: Path
) -> None:
    training = {"max_steps": 1, "seed": 7, "save_minutes": 3}

    run = train(training=training, lora={"r": 4}, dataset_fraction=0.05)

    told = manifest(run)
    [event] = run.of("manifest")
    assert event["manifest"] == told
    weights = sha256(project / "starter/model/model.safetensors")
    assert told["base_model"] == {"sha256": {"model.safetensors": weights}}
    answers = json.loads((project / "adapters/job-1/parity.json").read_text())
    assert told["tokenizer"]["sha256"] == answers["tokenizer"]
    assert told["adapter"]["sha256"] == sha256(project / "adapters/job-1/adapter_model.safetensors")
    assert (told["data"]["train_rows"], told["data"]["eval_rows"]) == (9, 1)
    template = studio.prompt.input_template
    assert told["prompt"]["input_template"] == {
        "sha256": hashlib.sha256(template.encode()).hexdigest(),
        "text": template,
    }
    assert told["versions"].keys() >= {"torch", "transformers", "trl", "peft", "python", "studio"}
    assert (told["seed"], told["workers"]) == (7, 1)
    training = told["training_arguments"]
    assert (training["learning_rate"], training["save_minutes"]) == (2e-3, 3)
    assert (told["lora_config"]["r"], len(told["lora_config"]["target_modules"])) == (4, 7)
    assert told["hardware"]["dtype"] == "float32"
    for path in (project, project.resolve()):
        assert str(path) not in json.dumps(told)


def test_secret_among_the_settings_is_refused_and_not_shown(train: Train) -> None:
    with pytest.raises(SettingsError, match="hub_token must be null") as refused:
        train(training={"max_steps": 1, "hub_token": "hf_secret"}, dataset_fraction=0.05)
    assert "hf_secret" not in str(refused.value)


def test_equal_jobs_have_equal_manifests_and_others_differ_where_they_do(train: Train) -> None:
    short = {"max_steps": 2, "warmup_ratio": 0}
    first, second = (manifest(train(training=short, dataset_fraction=0.05)) for _ in range(2))
    other = manifest(train(training={**short, "learning_rate": 1e-3}, dataset_fraction=0.06))

    assert first == second
    assert {name for name in first if first[name] != other[name]} == {
        "adapter",
        "data",
        "training_arguments",
    }


def test_large_file_is_read_again_only_if_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = tmp_path / "weights", tmp_path / "kept.json"
    file.write_bytes(b"one")
    known = HashCache(kept).of(file)
    assert known == sha256(file)
    with monkeypatch.context() as patched:
        patched.setattr("trainer.model.hashes.of_file", lambda path: pytest.fail("read again"))
        assert HashCache(kept).of(file) == known
    file.write_bytes(b"other")
    assert HashCache(kept).of(file) == sha256(file)
    kept.write_text("no JSON")
    assert HashCache(kept).of(file) == sha256(file)


def test_rows_and_their_order_make_the_hash() -> None:
    rows = Dataset.from_list([{"a": 1, "b": "ä"}, {"a": 2, "b": None}])
    lines = '{"a":1,"b":"\\u00e4"}\n{"a":2,"b":null}\n'
    assert canonical.digest(rows) == hashlib.sha256(lines.encode()).hexdigest()
    turned = Dataset.from_list([{"b": "ä", "a": 1}, {"b": None, "a": 2}])
    assert canonical.digest(turned) == canonical.digest(rows)
    assert canonical.digest(rows.select([1, 0])) != canonical.digest(rows)
