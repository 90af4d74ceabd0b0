"""Adapters that cannot be used with a base model: refused by evaluation, export and serving."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ft.adapters import files, weight_files
from ft.api import AdapterMetadata, FineTuningJobMetadata, ModelMetadata, ModelType
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE
from trainer.errors import ModelError
from trainer.evaluation.job import Evaluation
from trainer.export.job import Export
from trainer.job.arguments import ExportArguments, evaluate_arguments
from trainer.job.events import EventLog
from trainer.job.studio import Identity
from trainer.model import adapter_checks, hashes, hub
from trainer.model.adapter_checks import BaseModelSource
from trainer.serving.predict import load
from trainer.tests import models
from trainer.tests.models import Weights, change, edit
from trainer.tests.studio import Direct, Studio
from trainer.tests.support import Run

Train = Callable[..., Run]
Use = Callable[[Path, Studio], Any]
SHORT = {"max_steps": 1, "lr_scheduler_type": "constant", "warmup_ratio": 0}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the adapter of the first test is kept for the others."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def adapter(train: Train, project: Path, studio: Studio, kept: Path) -> Path:
    """An adapter of a copy of the starter model, in the studio's list."""
    studio.model.location = "base"
    models.copy(project / "base")
    made = project / "adapters/job-1"
    if not any(kept.iterdir()):
        train(training=SHORT)
        shutil.copytree(made, kept / "adapter")
        (kept / "record").write_bytes(studio.adapters[0].SerializeToString())
    else:
        shutil.copytree(kept / "adapter", made)
        studio.dataset.type, studio.dataset.location = "project_jsonl", "rows.jsonl"
        studio.adapters.append(AdapterMetadata.FromString((kept / "record").read_bytes()))
    assert studio.adapters[0].location == "adapters/job-1"
    studio.jobs["job-1"] = FineTuningJobMetadata(id="job-1", dataset_id="dataset")
    return made


def evaluate(project: Path, studio: Studio) -> None:
    flags = (
        "--base_model_id model --dataset_id dataset --prompt_id prompt --adapter_id adapter-0 "
        "--result_dir mlflow_results/e --eval_dataset_fraction 0.1 "
        '--generation_config {"max_new_tokens":4}'
    )
    folder = project / "mlflow_results/e"
    given = evaluate_arguments({"JOB_ARGUMENTS": flags})
    Evaluation(given, Direct(studio), EventLog(folder), project).run()


def export(project: Path, studio: Studio) -> None:
    given = ExportArguments("merged", "model", "adapter-0", "merged", "", "exports/e", {})
    folder = project / "exports/e"
    Export(given, Identity("e", "t"), Direct(studio), EventLog(folder), project).run()
    assert studio.exports


def serve(project: Path, studio: Studio) -> None:
    wanted = {SERVED_BASE: studio.model.location, SERVED_ADAPTER: studio.adapters[0].location}
    load(wanted, project, lambda _: None)


USES: list[Use] = [evaluate, export, serve]


@pytest.mark.parametrize("use", USES)
def test_adapter_is_used_with_its_base_in_any_place(
    project: Path, studio: Studio, adapter: Path, use: Use
) -> None:
    (project / "base").rename(project / "elsewhere")
    studio.model.location = "elsewhere"

    use(project, studio)


def spoilt(number: float) -> Callable[[Weights], Weights]:
    def spoil(weights: Weights) -> Weights:
        next(iter(weights.values())).view(-1)[3] = number
        return weights

    return spoil


def untrained(weights: Weights) -> Weights:
    return {name: one * ("lora_B" not in name) for name, one in weights.items()}


def without_one(weights: Weights) -> Weights:
    return {name: one for name, one in weights.items() if "layers.1.mlp.up_proj.lora_B" not in name}


def renamed(weights: Weights) -> Weights:
    return {name.replace("layers.1.", "layers.9."): one for name, one in weights.items()}


def narrower(weights: Weights) -> Weights:
    return {name: one[:, :64] if "q_proj.lora_A" in name else one for name, one in weights.items()}


OF_WEIGHTS: list[tuple[Callable[[Weights], Weights], str]] = [
    (spoilt(float("nan")), r"weight has numbers that are not finite.*lora_A"),
    (spoilt(float("-inf")), r"weight has numbers that are not finite.*lora_A"),
    (without_one, r"does not fit the base model: it lacks 1 weights: .*layers\.1\.mlp\.up_proj"),
    (renamed, r"14 of its weights do not exist in the model: .*layers\.9.*it lacks 14 weights"),
    (narrower, r"4 of its weights have another shape: .*q_proj\.lora_A\.weight \(8x64\)"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("make", "said"), OF_WEIGHTS)
def test_adapter_with_other_weights_than_it_should_have_is_refused(
    project: Path,
    studio: Studio,
    adapter: Path,
    use: Use,
    make: Callable[[Weights], Weights],
    said: str,
) -> None:
    # As one from elsewhere: nothing lies beside it.
    (adapter / "manifest.json").unlink()
    change(adapter, make)

    with pytest.raises(ModelError, match=said) as caught:
        use(project, studio)
    assert studio.exports == []
    assert without_name(str(caught.value)) == without_name(told_before(project, adapter))


def told_before(project: Path, adapter: Path) -> str:
    """What Validate says of the adapter."""
    shapes = weight_files.of_folder(project / "base").shapes
    found = files.of_folder(adapter)
    return files.fault("Adapter x", found, "", dict, shapes, 1 << 30)


def without_name(said: str) -> str:
    """A sentence without the adapter's name, which those who load it know in several ways."""
    return re.sub(r"^Adapter [\w/-]+", "", said)


def write(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda adapter: (adapter / name).write_bytes(content)


def cut(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-9])


def config(**changes: Any) -> Callable[[Path], Any]:
    return lambda adapter: edit(adapter / "adapter_config.json", **changes)


WEIGHTS = "adapter_model.safetensors"
OF_FILES: list[tuple[Callable[[Path], Any], str]] = [
    (cut, r"cannot be loaded: adapter_model\.safetensors is truncated: it has [\d,]+ bytes of"),
    (write(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\n"), r"is a Git LFS pointer"),
    (write(WEIGHTS, b""), r"truncated or is not a safetensors"),
    (lambda adapter: (adapter / WEIGHTS).unlink(), r"there are no weights: neither"),
    (write("adapter_config.json", b"{"), r"adapter_config\.json cannot be read or has no peft"),
    (lambda adapter: (adapter / "adapter_config.json").unlink(), r"there is no adapter_config"),
    (config(task_type="SEQ_CLS"), r"is for the task SEQ_CLS, but the studio's models are for"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("spoil", "said"), OF_FILES)
def test_adapter_whose_files_are_not_whole_is_refused_in_the_words_of_validate(
    project: Path,
    studio: Studio,
    adapter: Path,
    use: Use,
    spoil: Callable[[Path], Any],
    said: str,
) -> None:
    (adapter / "manifest.json").unlink()
    spoil(adapter)

    with pytest.raises(ModelError, match=said) as caught:
        use(project, studio)
    assert without_name(str(caught.value)) == without_name(told_before(project, adapter))


@pytest.mark.parametrize("use", [export, serve])
def test_adapter_that_changes_nothing_is_neither_exported_nor_served(
    project: Path, studio: Studio, adapter: Path, use: Use
) -> None:
    change(adapter, untrained)
    with pytest.raises(
        ModelError, match=r"has no effect on its base model: its lora_B weights are 0"
    ):
        use(project, studio)
    assert studio.exports == []


@pytest.mark.parametrize("use", USES)
def test_adapter_of_other_weights_is_refused(
    project: Path, studio: Studio, adapter: Path, use: Use
) -> None:
    def other(weights: Weights) -> Weights:
        weights["model.norm.weight"][0] += 1
        return weights

    change(project / "base", other)

    said = r"belongs to another base model: the hashes of model\.safetensors differ from those"
    with pytest.raises(ModelError, match=said):
        use(project, studio)
    # An adapter that does not say is judged by its answers alone.
    (adapter / "manifest.json").unlink()
    (adapter / "parity.json").unlink()
    use(project, studio)


@pytest.mark.parametrize("use", USES)
def test_adapter_of_a_larger_model_is_refused(
    project: Path, studio: Studio, adapter: Path, use: Use
) -> None:
    (adapter / "manifest.json").unlink()
    shutil.rmtree(project / "base")
    from transformers import LlamaConfig, LlamaForCausalLM

    models.copy(project / "base")
    config = LlamaConfig.from_pretrained(project / "base")
    config.update({"intermediate_size": 256, "hidden_size": 64, "head_dim": 16})
    LlamaForCausalLM(config).save_pretrained(project / "base")

    with pytest.raises(ModelError, match=r"56 of its weights have another shape"):
        use(project, studio)


@pytest.mark.parametrize(
    ("told", "config", "base", "refused"),
    [
        ({"name": "a/b", "commit": "c"}, "a/b", "a/b", False),
        ({"name": "a/b"}, "x/y", "a/b", False),
        ({"name": "a/b"}, "a/b", "a/c", True),
        ({}, "a/b", "a/c", True),
        ({}, "a/b", "a/b", False),
        # Paths, which mean nothing.
        ({}, "/data/models/b", "a/c", False),
        ({}, "starter/model", "a/c", False),
        ({}, "", "a/c", False),
        ({"name": "a/b"}, "a/b", "", False),
        ({"sha256": {"model.safetensors": "0"}}, "starter/model", "a/c", False),
        (["no", "object"], "a/c", "a/c", False),
    ],
)
def test_names_on_the_hub_tell_bases_apart(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: Any,
    config: str,
    base: str,
    refused: bool,
) -> None:
    monkeypatch.chdir(project)
    folder = project / "adapters/one"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"base_model": told}))
    content = {"base_model_name_or_path": config, "peft_type": "LORA"}
    (folder / "adapter_config.json").write_text(json.dumps(content))
    weights = models.STARTER / "model.safetensors"
    (folder / WEIGHTS).write_bytes(weights.read_bytes())
    monkeypatch.setattr(hub, "model_folder", lambda *_: project / "nothing")

    def require() -> None:
        adapter_checks.require(
            "Adapter one", str(folder), BaseModelSource(base or str(project), base)
        )

    if refused:
        with pytest.raises(ModelError, match="was trained on a/b, but this base model is a/c"):
            require()
    else:
        require()


@pytest.mark.parametrize(
    ("told", "run", "refused"),
    [
        ({"run": "r1"}, "r1", False),  # Made anew of the same run.
        ({"run": "r1"}, "r2", True),
        ({}, "r1", True),  # As manifests were before.
        ({"run": "r1"}, "", True),  # A directory of the project now.
    ],
)
def test_hashes_tell_registered_bases_apart_but_for_those_of_one_run(
    project: Path, told: Any, run: str, refused: bool
) -> None:
    base = models.copy(project / "models/registry/r")
    folder = project / "adapters/one"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / WEIGHTS).write_bytes((base / "model.safetensors").read_bytes())
    kind = ModelType.MODEL_REGISTRY if run else ModelType.PROJECT
    record = ModelMetadata(type=kind, mlflow_run_id=run or "r1")

    def require(digest: str) -> None:
        content = {"base_model": {"sha256": {"model.safetensors": digest}, **told}}
        (folder / "manifest.json").write_text(json.dumps(content))
        adapter_checks.require(
            "Adapter one", str(folder), adapter_checks.base_of(record, str(base))
        )

    require(hashes.of_file(base / "model.safetensors"))
    if not refused:
        require("0" * 64)
        return
    with pytest.raises(ModelError, match=r"the hashes of model\.safetensors differ from those"):
        require("0" * 64)


def test_hub_base_for_an_adapter_of_a_directory_has_its_hashes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = models.copy(project / "snapshot")
    monkeypatch.setattr(hub, "model_folder", lambda name, commit: base)
    folder = project / "adapters/one"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / WEIGHTS).write_bytes((base / "model.safetensors").read_bytes())
    content = {"base_model": {"sha256": {"model.safetensors": "0" * 64}}}
    (folder / "manifest.json").write_text(json.dumps(content))

    with pytest.raises(ModelError, match="belongs to another base model: the hashes"):
        adapter_checks.require("Adapter one", str(folder), BaseModelSource("a/b", "a/b"))


def test_model_of_the_hub_is_loaded_at_the_commit_that_the_training_saw(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def commit_of(name: str, commit: str = "") -> str:
        seen.append((name, commit))
        return commit or "newest"

    monkeypatch.setattr("trainer.model.hub.commit_of_model", commit_of)
    folder = project / "adapters/one"
    folder.mkdir(parents=True)
    notices: list[str] = []

    def settled(manifest: Any, registered: str = "") -> str:
        (folder / "manifest.json").write_text(json.dumps(manifest))
        model = ModelMetadata(type=ModelType.HUGGINGFACE, huggingface_model_name="a/b")
        model.commit = registered
        adapter_checks.settle_commit(model, str(folder), notices.append)
        return model.commit

    assert settled({"base_model": {"name": "a/b", "commit": "c1"}}, "c2") == "c1"
    assert notices == []
    # As manifests were before.
    assert settled({"base_model": {"name": "a/b"}}) == "newest"
    assert settled({}, "c2") == "c2"
    assert [notice.rpartition(": ")[2] for notice in notices] == [
        "the newest is loaded.",
        "c2 is loaded.",
    ]
    assert seen == [("a/b", "c1"), ("a/b", ""), ("a/b", "c2")]


def test_base_of_the_project_has_no_commit(project: Path) -> None:
    model = ModelMetadata(type=ModelType.PROJECT, location="base")
    adapter_checks.settle_commit(model, str(project), lambda _: pytest.fail("told"))
    assert model.commit == ""


def test_token_without_an_embedding_is_refused_by_a_served_model(project: Path) -> None:
    base = models.copy(project / "base")
    content = json.loads((base / "tokenizer.json").read_text())
    content["added_tokens"].append(
        content["added_tokens"][0] | {"id": 1024, "content": "<img>", "special": False}
    )
    (base / "tokenizer.json").write_text(json.dumps(content))
    told: list[str] = []
    served = load({SERVED_BASE: "base"}, project, told.append)

    assert any("1 tokens of the tokenizer have no embedding" in one for one in told)
    assert served.answer({"prompt": "hello", "max_new_tokens": 1}) is not None
    with pytest.raises(ValueError, match=r"prompt: .*'<img>' with the number 1024"):
        served.answer({"prompt": "an <img>"})


@pytest.mark.parametrize("use", [evaluate, export, serve])
def test_base_that_is_broken_after_the_training_is_refused(
    project: Path, studio: Studio, adapter: Path, use: Use
) -> None:
    edit(project / "base/config.json", num_hidden_layers=5)
    with pytest.raises(ModelError, match=r"9 weights of LlamaForCausalLM are not in its files"):
        use(project, studio)
