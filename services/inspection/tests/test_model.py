"""What is found about tokens, steps and memory."""

import json
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from ft.proto.fine_tuning_studio_pb2 import ModelMetadata, PromptMetadata
from ft.proto.inspection_pb2 import InspectionWork, InspectJobRequest, InspectJobResponse
from services.inspection.data.rows import BATCH_ROWS
from services.inspection.job_inspection import inspect_job
from services.inspection.tests.conftest import STARTER, job, rules

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]


@pytest.fixture
def data(project: Path) -> str:
    """Ten rows, of which the last is long."""
    rows = ["short"] * 9 + ["word " * 300]
    lines = [json.dumps({"a": text, "n": number}) for number, text in enumerate(rows)]
    (project / "d.jsonl").write_text("\n".join(lines))
    return "d.jsonl"


def change(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def tokens(text: str) -> int:
    return len(Tokenizer.from_file(str(STARTER / "model/tokenizer.json")).encode(text).ids)


async def test_tokens_are_those_of_the_text_that_is_trained_on(inspect: Inspect, data: str) -> None:
    response = await inspect(job(data, "Say {a}"))

    short, long = tokens("Say short<|end|>"), tokens("Say " + "word " * 300 + "<|end|>")
    assert response.data.longest_row_tokens == long > 256
    assert response.data.tokens == 9 * short + 256
    assert response.data.pad_token == "<|pad|>"
    [finding] = [one for one in response.findings if one.rule == "FT-857"]
    assert (finding.severity, list(finding.places)) == ("WARNING", ["line 10"])


@pytest.mark.parametrize(
    ("training", "longest", "context"),
    [
        ({}, 256, 256),
        ({}, 4096, 1024),
        ({"max_length": 7}, 256, 7),
        ({"max_seq_length": 9}, 256, 9),
        ({"max_length": 999}, 256, 256),
        ({"max_length": None}, 4096, 4096),
    ],
)
async def test_context_is_the_smaller_of_model_and_settings(
    inspect: Inspect, project: Path, data: str, training: Any, longest: int, context: int
) -> None:
    change(project / "model/config.json", max_position_embeddings=longest)

    response = await inspect(job(data, training_arguments_json=json.dumps(training)))

    assert response.data.context_tokens == context


async def test_rows_that_never_fit_are_an_error(inspect: Inspect, data: str) -> None:
    response = await inspect(job(data, training_arguments_json={"max_length": 1}))

    assert rules(response)["FT-857"] == "ERROR"


async def test_evaluation_leaves_room_for_the_answer(inspect: Inspect, data: str) -> None:
    request = job(
        data, "{n} {a}", kind="evaluation", train_test_split=0.5, eval_dataset_fraction=0.4
    )
    request.generation_config_json = '{"max_new_tokens": 56}'

    response = await inspect(request)

    summary = response.data
    assert (summary.rows, summary.used_rows, summary.held_out_rows) == (10, 2, 5)
    assert (summary.context_tokens, summary.total_steps) == (200, 0)


async def test_evaluation_does_not_score_what_was_trained_on(inspect: Inspect, data: str) -> None:
    response = await inspect(job(data, kind="evaluation", train_test_split=0.8))

    # All rows but the long one have the same text.
    [finding] = [one for one in response.findings if one.rule == "FT-853"]
    assert finding.severity == "ERROR"
    assert "each of the 2 held-out rows has the same text" in finding.description


@pytest.mark.parametrize(
    ("limit", "fits", "told"), [(3, False, True), (3, True, False), (9, False, False)]
)
async def test_answers_longer_than_the_limit_are_reported(
    inspect: Inspect, project: Path, limit: int, *, fits: bool, told: bool
) -> None:
    lines = [json.dumps({"a": f"ask {n}", "c": "x y z " + "w " * (n % 2)}) for n in range(8)]
    (project / "e.jsonl").write_text("\n".join(lines))
    prompt = PromptMetadata(input_template="{a}", completion_template="{c}")
    request = job("e.jsonl", kind="evaluation", train_test_split=0.5, prompt=prompt)
    request.eval_dataset_fraction = 1.0
    request.generation_config_json = json.dumps({"max_new_tokens": limit})
    request.fit_answer_length = fits

    response = await inspect(request)

    found = [one for one in response.findings if one.rule == "FT-896"]
    assert bool(found) == told
    if told:
        assert (found[0].severity, found[0].field) == ("WARNING", "generation_config")
        assert f"lets the model write, {limit};" in found[0].description


async def test_evaluation_needs_the_columns_of_its_answers(inspect: Inspect, data: str) -> None:
    prompt = PromptMetadata(input_template="{a}", completion_template="{c}")

    response = await inspect(job(data, kind="evaluation", train_test_split=0.5, prompt=prompt))

    assert rules(response)["FT-852"] == "ERROR"


@pytest.mark.parametrize(
    ("training", "workers", "steps"),
    [
        ({}, 1, (2, 6)),
        ({"per_device_train_batch_size": 3, "num_train_epochs": 2}, 1, (4, 8)),
        ({"per_device_train_batch_size": 3, "gradient_accumulation_steps": 3}, 1, (2, 6)),
        ({"per_device_train_batch_size": 3, "dataloader_drop_last": True}, 1, (3, 9)),
        ({"per_device_train_batch_size": 2}, 2, (3, 9)),
        ({"max_steps": 5}, 1, (2, 5)),
        ({"num_train_epochs": 0.5}, 1, (2, 1)),
    ],
)
async def test_steps_are_counted_as_the_library_counts_them(
    inspect: Inspect, data: str, training: Any, workers: int, steps: tuple[int, int]
) -> None:
    request = job(data, training_arguments_json=json.dumps(training), num_workers=workers)

    summary = (await inspect(request)).data

    assert (summary.steps_per_epoch, summary.total_steps) == steps


def test_token_count_stops_in_time_and_extrapolates(project: Path) -> None:
    rows = "".join(json.dumps({"a": "short"}) + "\n" for _ in range(3 * BATCH_ROWS))
    (project / "d.jsonl").write_text(rows)
    files = {path.name: str(path) for path in (project / "model").iterdir()}
    work = InspectionWork(request=job("d.jsonl"), project=str(project), model_files=files)

    # So little time that it is over after the first rows, which are counted all the same.
    response = inspect_job(work, None)

    assert rules(response)["FT-858"] == "NOTICE"
    assert response.data.tokens == 3 * BATCH_ROWS * tokens("short<|end|>")


async def test_steps_of_packed_rows_are_not_known(inspect: Inspect, data: str) -> None:
    response = await inspect(job(data, training_arguments_json={"packing": True}))

    assert rules(response)["FT-861"] == "NOTICE"
    assert response.data.total_steps == 0


async def test_padding_with_the_end_of_text_is_reported(
    inspect: Inspect, project: Path, data: str
) -> None:
    file = project / "model/tokenizer.json"
    file.write_text(file.read_text().replace("<|pad|>", "<|other|>"))
    change(project / "model/tokenizer_config.json", pad_token=None)

    response = await inspect(job(data))

    [finding] = [one for one in response.findings if one.rule == "FT-859"]
    assert (finding.severity, response.data.pad_token) == ("NOTICE", "<|end|>")


async def test_missing_end_of_text_is_an_error(inspect: Inspect, project: Path, data: str) -> None:
    change(project / "model/tokenizer_config.json", eos_token=None)
    change(project / "model/config.json", eos_token_id=None)

    assert rules(await inspect(job(data)))["FT-859"] == "ERROR"


@pytest.mark.parametrize("content", [None, "not json", "{}"])
async def test_unreadable_tokenizer_is_a_notice(
    inspect: Inspect, project: Path, data: str, content: str | None
) -> None:
    file = project / "model/tokenizer.json"
    file.unlink() if content is None else file.write_text(content)

    response = await inspect(job(data))

    assert rules(response)["FT-858"] == "NOTICE"
    assert (response.data.used_rows, response.data.tokens) == (10, 0)


async def test_memory_estimate_has_reasons_and_warns(inspect: Inspect, data: str) -> None:
    enough = await inspect(job(data, memory_gib=2))
    training = {"per_device_train_batch_size": 4096}
    much = await inspect(job(data, memory_gib=2, training_arguments_json=training))

    assert 0.5 < enough.memory.gib < 2
    named = [line.partition(":")[0] for line in enough.memory.reasoning]
    assert named == [
        *("base weights", "adapter", "gradients", "optimiser"),
        *("activations", "logits", "runtime"),
    ]
    assert "984,192 parameters" in enough.memory.reasoning[0]
    assert "FT-863" not in rules(enough)
    assert rules(much)["FT-863"] == "WARNING"


async def test_gpu_memory_is_apart_from_the_requested_memory(inspect: Inspect, data: str) -> None:
    training = {"per_device_train_batch_size": 4096}

    response = await inspect(job(data, memory_gib=1, gpu=1, training_arguments_json=training))

    assert "FT-863" not in rules(response)
    assert "this is GPU memory" in response.memory.reasoning[-1]


async def test_quantized_base_is_smaller_on_a_gpu_only(inspect: Inspect, data: str) -> None:
    bits = {"load_in_4bit": True}
    lines = [
        (await inspect(job(data, gpu=gpu, bnb_config_json=bits))).memory.reasoning[0]
        for gpu in (0, 1)
    ]

    assert "984,192 parameters of 4 bytes" in lines[0]
    assert "of 4 bits" in lines[1]


async def test_adapter_size_follows_the_named_modules(inspect: Inspect, data: str) -> None:
    lora = {"r": 4, "target_modules": ["q_proj", "v_proj"]}

    response = await inspect(job(data, lora_config_json=lora))

    # 2 modules in 4 layers, each 4 x (128 + 128)
    assert "8,192 parameters: rank 4 on 8 linear layers" in response.memory.reasoning[1]


@pytest.mark.parametrize("header", [b"", struct.pack("<Q", 2**60), struct.pack("<Q", 2) + b"[]"])
async def test_model_size_comes_from_the_config_without_readable_weights(
    inspect: Inspect, project: Path, data: str, header: bytes
) -> None:
    (project / "model/model.safetensors").write_bytes(header)

    response = await inspect(job(data))

    # All but the norms, which are of no weight.
    assert "983,040 parameters" in response.memory.reasoning[0]


async def test_model_of_unknown_size_is_a_notice(
    inspect: Inspect, project: Path, data: str
) -> None:
    (project / "model/model.safetensors").unlink()
    (project / "model/config.json").write_text("{}")

    response = await inspect(job(data))

    assert rules(response)["FT-862"] == "NOTICE"
    assert not response.HasField("memory")


@pytest.mark.parametrize(
    ("model", "severity"),
    [
        (ModelMetadata(type="project", location="gone"), "ERROR"),
        (ModelMetadata(type="project", location="../.."), "ERROR"),
        (ModelMetadata(type="model_registry"), "NOTICE"),
        (ModelMetadata(type="huggingface", huggingface_model_name="a/b"), "NOTICE"),
    ],
)
async def test_missing_model_is_reported(
    inspect: Inspect, data: str, model: ModelMetadata, severity: str
) -> None:
    response = await inspect(job(data, model=model))

    assert next(one.severity for one in response.findings if one.rule == "FT-862") == severity
    assert response.data.used_rows == 10
