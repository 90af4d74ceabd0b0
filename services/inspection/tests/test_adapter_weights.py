"""What the files of adapters tell against an evaluation, in the words of the job."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.testing import weights
from chassis.testing.weights import Shapes, write_adapter, write_zeros
from ft.adapters import files
from ft.proto.fine_tuning_studio_jobs_pb2 import Finding
from ft.proto.fine_tuning_studio_pb2 import AdapterMetadata
from services.inspection.tests.conftest import job
from services.inspection.tests.test_base_model import MODEL, POINTER, Inspect, change, split

ADAPTER = AdapterMetadata(id="a", name="tuned", type="project", location="adapter")
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
TARGETS = ["q_proj", "v_proj"]
NAN = {"F32": "00 00 c0 7f", "BF16": "c0 7f", "F16": "00 7e", "F64": "00 00 00 00 00 00 f8 7f"}


def lora(rows: int = 128, layers: int = 4, rank: int = 8) -> Shapes:
    """The weights of an adapter of the starter model."""
    names = [f"model.layers.{n}.self_attn.{one}" for n in range(layers) for one in TARGETS]
    return weights.lora(dict.fromkeys(names, (rows, 128)), rank)


def write(folder: Path, shapes: Shapes, dtype: str = "F32", last: str = "") -> None:
    write_zeros(folder / WEIGHTS, shapes, dtype, last)


@pytest.fixture
def adapter(project: Path) -> Path:
    folder = project / "adapter"
    write_adapter(folder, lora(), TARGETS)
    (project / "d.jsonl").write_text('{"a": "an order", "b": "yes"}\n' * 4)
    return folder


async def found(inspect: Inspect, **changes: Any) -> list[Finding]:
    wanted = {"kind": "evaluation", "adapters": [ADAPTER], "train_test_split": 0.5, **changes}
    response = await inspect(job("d.jsonl", **wanted))
    return [one for one in response.findings if one.rule == "FT-893"]


def renamed(shapes: Shapes) -> Shapes:
    return {name.replace("layers.3.", "layers.7."): one for name, one in shapes.items()}


def without(part: str) -> Shapes:
    return {name: one for name, one in lora().items() if part not in name}


def config(**changes: Any) -> Callable[[Path], Any]:
    return lambda adapter: change(adapter / CONFIG, **changes)


def cut(adapter: Path) -> None:
    (adapter / WEIGHTS).write_bytes((adapter / WEIGHTS).read_bytes()[:-5])


def of_base(**told: Any) -> Callable[[Path], Any]:
    return lambda adapter: (adapter / "manifest.json").write_text(json.dumps({"base_model": told}))


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    **{
        f"nan in {dtype}": (
            lambda adapter, dtype=dtype: write(adapter, lora(), dtype, NAN[dtype]),
            "Adapter tuned: weight has numbers that are not finite (nan or inf): base_model.model."
            "model.layers.3.self_attn.v_proj.lora_B.weight. Train it again",
        )
        for dtype in NAN
    },
    "pointer": (
        lambda adapter: (adapter / WEIGHTS).write_bytes(POINTER),
        f"Adapter tuned cannot be loaded: {WEIGHTS} is a Git LFS pointer",
    ),
    "cut off": (cut, f"{WEIGHTS} is truncated"),
    "no weights": (
        lambda adapter: (adapter / WEIGHTS).unlink(),
        f"Adapter tuned cannot be loaded: there are no weights: neither {WEIGHTS} nor",
    ),
    "no config": (
        lambda adapter: (adapter / CONFIG).unlink(),
        f"Adapter tuned cannot be loaded: there is no {CONFIG}",
    ),
    "no object": (lambda adapter: (adapter / CONFIG).write_text("[]"), "has no peft_type"),
    "another task": (config(task_type="SEQ_CLS"), "Adapter tuned is for the task SEQ_CLS"),
    "other layers": (
        lambda adapter: write(adapter, renamed(lora())),
        "does not fit the base model: 4 of its weights do not exist in the model: base_model."
        "model.model.layers.7.self_attn.q_proj.lora_A.weight",
    ),
    "a larger base": (
        lambda adapter: write(adapter, lora(rows=256)),
        "8 of its weights have another shape: base_model.model.model.layers.0.self_attn.q_proj."
        "lora_A.weight (8x256)",
    ),
    "a weight less": (
        lambda adapter: write(adapter, without("layers.2.self_attn.v_proj")),
        "it lacks 2 weights: base_model.model.model.layers.2.self_attn.v_proj.lora_A.weight",
    ),
    "other hashes": (
        of_base(sha256={MODEL: "0" * 64}),
        f"belongs to another base model: the hashes of {MODEL} differ from those",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_adapter_that_no_job_could_load_is_an_error(
    inspect: Inspect, adapter: Path, name: str
) -> None:
    spoil, said = BROKEN[name]
    spoil(adapter)

    [one] = await found(inspect)

    assert (one.severity, one.field) == ("ERROR", "model_adapter_combinations")
    assert said in one.description


def narrow_ranks(adapter: Path) -> None:
    ranks = {name: (2, one[1]) if "lora_A" in name else (128, 2) for name, one in lora().items()}
    write(adapter, ranks)
    change(adapter / CONFIG, rank_pattern={"q_proj": 2, "v_proj": 2})


def dora(adapter: Path) -> None:
    magnitudes = {
        name.replace("lora_A.weight", "lora_magnitude_vector"): (1, 128)
        for name in lora()
        if "lora_A" in name
    }
    write(adapter, lora() | magnitudes)
    change(adapter / CONFIG, use_dora=True)


def with_a_module(adapter: Path) -> None:
    write(adapter, lora() | {"base_model.model.lm_head.weight": (1024, 128)})
    change(adapter / CONFIG, modules_to_save=["lm_head"])


def prompt_tuning(adapter: Path) -> None:
    write(adapter, {"prompt_embeddings": (4, 128)})
    (adapter / CONFIG).write_text('{"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM"}')


WELL: dict[str, Callable[[Path], Any]] = {
    "as it is": lambda _: None,
    "halves": lambda adapter: write(adapter, lora(), "BF16", "7f 7f"),  # The largest number.
    "ranks of their own": narrow_ranks,
    "DoRA": dora,
    "a whole module": with_a_module,
    "prompt tuning": prompt_tuning,
    "some layers": lambda adapter: (
        write(adapter, lora(layers=2)),
        change(adapter / CONFIG, layers_to_transform=[0, 1]),
    ),
    "a pickle": lambda adapter: (adapter / WEIGHTS).rename(adapter / "adapter_model.bin"),
    "the same hashes": lambda adapter: of_base(
        sha256=files.hashes_of([adapter.parent / "model" / MODEL])
    )(adapter),
    "a name of the hub": of_base(name="some/model", commit="c"),
}


@pytest.mark.parametrize("name", WELL)
async def test_adapter_that_fits_has_no_finding(inspect: Inspect, adapter: Path, name: str) -> None:
    WELL[name](adapter)
    assert await found(inspect) == []


async def test_shapes_of_a_quantized_base_are_not_compared(inspect: Inspect, adapter: Path) -> None:
    write(adapter, lora(rows=256))
    base = adapter.parent / "model"
    change(base / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    assert await found(inspect) == []


async def test_adapter_without_its_directory_is_an_error(inspect: Inspect, adapter: Path) -> None:
    elsewhere = AdapterMetadata(id="a", name="tuned", type="project", location="elsewhere")
    [one] = await found(inspect, adapters=[elsewhere])
    assert one.description.startswith("Adapter tuned cannot be loaded: ")


async def test_adapter_findings_name_their_adapter(inspect: Inspect, adapter: Path) -> None:
    other = AdapterMetadata(id="b", name="other", type="project", location="other")
    (adapter.parent / "other").mkdir()
    [one] = await found(inspect, adapters=[ADAPTER, other])
    assert one.description.startswith("Adapter other cannot be loaded: there is no")


def test_starter_model_has_the_shapes_that_these_tests_expect(project: Path) -> None:
    content, _ = split((project / "model" / MODEL).read_bytes())
    assert content["model.layers.3.self_attn.q_proj.weight"]["shape"] == [128, 128]
