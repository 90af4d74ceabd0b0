"""What the headers of a base model's files tell against it."""

import json
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer

from ft.proto.fine_tuning_studio_jobs_pb2 import Finding
from ft.proto.fine_tuning_studio_pb2 import PromptMetadata
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from services.inspection.tests.conftest import job

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]
Header = dict[str, Any]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1972448\n"
MODEL = "model.safetensors"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"


@pytest.fixture
def model(project: Path) -> Path:
    (project / "d.jsonl").write_text('{"a": "an order", "b": "yes"}\n' * 4)
    return project / "model"


async def found(inspect: Inspect, rule: str, **changes: Any) -> list[Finding]:
    response = await inspect(job("d.jsonl", **changes))
    return [one for one in response.findings if one.rule == rule]


def change(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def config(**changes: Any) -> Callable[[Path], Any]:
    return lambda model: change(model / "config.json", **changes)


def write(content: bytes, name: str = MODEL) -> Callable[[Path], Any]:
    return lambda model: (model / name).write_bytes(content)


def split(content: bytes) -> tuple[Header, bytes]:
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: Header, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def header(make: Callable[[Header], Header]) -> Callable[[Path], Any]:
    def changed(model: Path) -> None:
        content, data = split((model / MODEL).read_bytes())
        (model / MODEL).write_bytes(joined(make(content), data))

    return changed


def renamed(old: str, new: str) -> Callable[[Path], Any]:
    return header(lambda content: {key.replace(old, new): one for key, one in content.items()})


def cut(share: float, name: str = MODEL) -> Callable[[Path], Any]:
    def shorten(model: Path) -> None:
        content = (model / name).read_bytes()
        (model / name).write_bytes(content[: int(share * len(content))])

    return shorten


def shards(model: Path) -> None:
    """Two files in place of one; nobody reads the numbers."""
    content, _ = split((model / MODEL).read_bytes())
    (model / MODEL).unlink()
    names = [name for name in content if name != "__metadata__"]
    for file, chosen in ((FIRST, names[::2]), (SECOND, names[1::2])):
        empty = {name: content[name] | {"data_offsets": [0, 0]} for name in chosen}
        (model / file).write_bytes(joined(empty, b""))
    places = {name: (FIRST, SECOND)[i % 2] for i, name in enumerate(names)}
    (model / INDEX).write_text(json.dumps({"weight_map": places}))


def split_names(file: Path) -> list[str]:
    return list(split(file.read_bytes())[0])


def several(*steps: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def all_of_them(model: Path) -> None:
        for step in steps:
            step(model)

    return all_of_them


def remove(name: str) -> Callable[[Path], Any]:
    return lambda model: (model / name).unlink()


GPT2 = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "n_embd": 128,
    "n_layer": 2,
    "vocab_size": 1024,
}
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "pointer": (write(POINTER), "Git LFS pointer"),
    "cut off": (cut(0.5), "model.safetensors is truncated: it has 986,224 bytes of 1,972,448"),
    "cut in the header": (cut(0.001), "is truncated or is not a safetensors file"),
    "empty": (write(b""), "is truncated or is not a safetensors file"),
    "header": (write(struct.pack("<Q", 2) + b"[]"), "a header that cannot be read"),
    "none": (remove(MODEL), "there are no weights"),
    "layer renamed": (renamed("layers.1.", "layers.8."), "9 weights of LlamaForCausalLM are not"),
    "all renamed": (renamed("model.", "net."), "38 weights of LlamaForCausalLM are not in"),
    "more layers": (config(num_hidden_layers=5), "9 weights of LlamaForCausalLM are not in"),
    "hidden size": (config(hidden_size=64, head_dim=16), "weights have another shape"),
    "vocabulary": (config(vocab_size=2000), "embed_tokens.weight (1024x128 in place of 2000x128)"),
    "own head": (config(tie_word_embeddings=False), "lm_head.weight"),
    "architecture": (config(**GPT2), "no weight wte.weight, which a model of type gpt2 has"),
    "shard gone": (several(shards, remove(SECOND)), f"names files that do not exist: {SECOND}"),
    "shard a pointer": (several(shards, write(POINTER, FIRST)), f"{FIRST} is a Git LFS pointer"),
    "no entries": (
        several(
            shards,
            lambda m: change(m / INDEX, weight_map=dict.fromkeys(split_names(m / FIRST), FIRST)),
        ),
        "weights of LlamaForCausalLM are not in the files",
    ),
    "an entry too many": (
        several(shards, lambda m: change(m / INDEX, weight_map={"x": FIRST})),
        "names tensors that its files lack: x",
    ),
    "no index": (several(shards, remove(INDEX)), "there are no weights"),
    "broken index": (several(shards, write(b"[", INDEX)), "cannot be read or has no weight_map"),
    "pickle a pointer": (
        several(remove(MODEL), write(POINTER, "pytorch_model.bin")),
        "pytorch_model.bin is a Git LFS pointer",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_model_that_no_job_could_use_is_an_error(
    inspect: Inspect, model: Path, name: str
) -> None:
    spoil, said = BROKEN[name]
    spoil(model)

    findings = await found(inspect, "FT-890")

    assert any(said in one.description for one in findings), findings
    assert ("ERROR", "base_model_id") in {(one.severity, one.field) for one in findings}


WELL: dict[str, Callable[[Path], Any]] = {
    "as it is": lambda _: None,
    "shards": shards,
    "a file beside": write(b"any", "other.safetensors"),
    "without the prefix": renamed("model.", ""),
    "a pickle": several(remove(MODEL), write(b"PK", "pytorch_model.bin")),
    "of an unknown kind": several(
        config(architectures=["NewForCausalLM"], model_type="new"), renamed("model.", "body.")
    ),
    "quantised": several(config(quantization_config={}), renamed("weight", "qweight")),
}


@pytest.mark.parametrize("name", WELL)
async def test_valid_model_has_no_finding(inspect: Inspect, model: Path, name: str) -> None:
    WELL[name](model)
    if name == "quantised":
        change(model / "config.json", quantization_config={"quant_method": "gptq"})

    assert await found(inspect, "FT-890") == []


async def test_unused_layers_are_a_warning(inspect: Inspect, model: Path) -> None:
    change(model / "config.json", num_hidden_layers=3)

    [one] = await found(inspect, "FT-890")
    assert (one.severity, "1 layers more" in one.description) == ("WARNING", True)


def add(model: Path, *tokens: str) -> None:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.add_tokens([AddedToken(token) for token in tokens])
    tokenizer.save(str(model / "tokenizer.json"))


@pytest.mark.parametrize(
    ("tokens", "special", "severities"),
    [
        ((), {}, []),
        (("<img>",), {}, ["NOTICE"]),
        (("<img>",), {"pad_token": "<img>"}, ["ERROR"]),
        (("order",), {}, ["NOTICE", "ERROR"]),
    ],
)
async def test_tokens_without_an_embedding_are_an_error(
    inspect: Inspect, model: Path, tokens: Any, special: Any, severities: list[str]
) -> None:
    add(model, *tokens)
    change(model / "tokenizer_config.json", **special)

    findings = await found(inspect, "FT-891")

    assert [one.severity for one in findings] == severities
    assert all(tokens[0] in one.description for one in findings)
    assert [one.rows for one in findings if one.field == "dataset_id"] == [4] * (
        severities[1:] == ["ERROR"]
    )


PROMPT = PromptMetadata(
    prompt_template="{a}: {b}", input_template="{a}:", completion_template=" {b}"
)


@pytest.mark.parametrize(
    ("settings", "severity"),
    [
        ({}, None),
        ({"max_length": 1}, "ERROR"),
        ({"completion_only_loss": True}, None),
        ({"completion_only_loss": True, "max_length": 2}, "ERROR"),
        ({"completion_only_loss": True, "max_length": 2, "truncation_mode": "keep_end"}, None),
        ({"max_length": 2}, None),
        ({"completion_only_loss": True, "max_length": 9}, "WARNING"),
    ],
)
async def test_rows_that_teach_nothing_are_an_error(
    inspect: Inspect, project: Path, model: Path, settings: Any, severity: str | None
) -> None:
    with (project / "d.jsonl").open("a") as file:
        file.write(json.dumps({"a": "where is my order " * 9, "b": "yes"}) + "\n")

    findings = await found(inspect, "FT-892", training_arguments_json=settings, prompt=PROMPT)

    assert [one.severity for one in findings] == ([severity] if severity else [])
