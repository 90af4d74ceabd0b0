"""Answers of served models, and their verification."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import get_peft_model
from safetensors.torch import load_file, save_file

from ft.api import PromptMetadata
from ft.job_protocol.exit_status import NOT_TO_BE_REPEATED
from ft.job_protocol.files import ANSWERS_FILE
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from trainer.errors import ModelError, ParityError, SettingsError
from trainer.model import saving
from trainer.model.generation import continue_texts
from trainer.model.hardware import detect
from trainer.model.loading import load_model, load_tokenizer, weight_type
from trainer.schemas import settings
from trainer.serving import trained_answers
from trainer.serving.predict import Predictor, load

TRAINER = Path(__file__).parents[2]
PROMPT = PromptMetadata(
    prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
    input_template="### CUSTOMER: {customer}\n### ACTION:",
    completion_template=" {action}",
)
ROWS = [
    {"customer": text, "action": "any"}
    for text in (
        "where is my order",
        "I want my money back",
        "please cancel it",
        "hello, my password does not work at all",
        "the parcel came broken",
        "how much is shipping to Spain?",
    )
]
INPUTS = trained_answers.inputs(PROMPT, Dataset.from_list(ROWS))
GREEDY = '{"max_new_tokens": 12}'
SERVED = {SERVED_BASE: "base", SERVED_ADAPTER: "adapter", SERVED_GENERATION: GREEDY}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a copy of the starter model and an adapter as a training leaves it."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(TRAINER / "starter" / "model", project / "base")
    base = str(project / "base")
    tokenizer = load_tokenizer(base)
    hardware = detect()
    model = load_model(base, hardware, weight_type(hardware), None)
    torch.manual_seed(7)
    lora = settings.make_lora_config({"r": 4, "init_lora_weights": False})
    tuned = get_peft_model(model, lora)
    saving.save_adapter(
        tuned,
        tokenizer,
        "base",
        project / "adapter",
        lambda folder: trained_answers.record(tuned, tokenizer, PROMPT, INPUTS, folder),
    )
    return project


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture
def serve() -> Callable[..., tuple[Predictor, list[str]]]:
    """Loads as a served model does; also what it told."""

    def loaded(project: Path, **environment: str) -> tuple[Predictor, list[str]]:
        told: list[str] = []
        wanted = {
            SERVED_BASE: "base",
            SERVED_ADAPTER: "adapter",
            SERVED_GENERATION: GREEDY,
        } | environment
        return load(wanted, project, told.append), told

    return loaded


@pytest.fixture(scope="module")
def served(made: Path) -> Predictor:
    return load(
        {SERVED_BASE: "base", SERVED_ADAPTER: "adapter", SERVED_GENERATION: GREEDY}, made, print
    )


Serve = Callable[..., tuple[Predictor, list[str]]]


def edit(file: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_answers_are_those_of_an_evaluation(made: Path, served: Predictor) -> None:
    generation = settings.make_generation_config(
        {"do_sample": False, "max_new_tokens": 12}, served._tokenizer
    )
    inputs = [PROMPT.input_template.format(**row) for row in ROWS]
    # As an evaluation does it: many at a time.
    expected = [
        c.text for c in continue_texts(served._model, served._tokenizer, generation, inputs)
    ]

    answers = [served.answer({"prompt": text}) for text in inputs]

    assert answers == expected
    assert not any(text in answer for text, answer in zip(inputs, answers, strict=True))
    assert len(set(answers)) > 1


def test_options_of_a_call_hold_for_that_call(served: Predictor) -> None:
    prompt = INPUTS[0]
    plain = served.answer({"prompt": prompt})
    assert len(served.answer({"prompt": prompt, "max_new_tokens": 2})) < len(plain)
    torch.manual_seed(1)
    hot = {served.answer({"prompt": prompt, "temperature": 5.0}) for _ in range(3)}
    assert len(hot) > 1
    assert served.answer({"prompt": prompt, "temperature": 0}) == plain
    assert served.answer({"prompt": prompt, "num_beams": 2, "repetition_penalty": 1.3})
    assert served.answer({"prompt": prompt, "top_k": None}) == plain
    # No more than the model was made for, however much is asked for.
    assert served.answer({"prompt": prompt, "max_new_tokens": 10**9})


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("text", "must be a JSON object"),
        ({}, "prompt: give a text that is not empty"),
        ({"prompt": ""}, "prompt: give a text that is not empty"),
        ({"prompt": 3, "top_p": 2}, "prompt: give a text.*; top_p: must be a number above 0"),
        ({"prompt": "a", "temperature": -1}, "temperature: .*not -1"),
        ({"prompt": "a", "temperature": float("nan")}, "temperature: "),
        ({"prompt": "a", "temperature": 1e-300}, "temperature: .*not 1e-300"),
        ({"prompt": "a", "temperature": 10**400}, "temperature: "),
        ({"prompt": "a", "top_p": 0}, "top_p: "),
        ({"prompt": "a", "top_k": 1.5}, "top_k: must be a whole number"),
        ({"prompt": "a", "max_new_tokens": 0}, "max_new_tokens: .*of at least 1"),
        ({"prompt": "a", "max_new_tokens": True}, "max_new_tokens: "),
        ({"prompt": "a", "num_beams": 100}, "num_beams: .*from 1 to 16"),
        ({"prompt": "a", "repetition_penalty": "1"}, "repetition_penalty: "),
        ({"prompt": "a", "stop": "x"}, "stop: unknown option"),
        ({"prompt": "word " * 5000}, "prompt: must have fewer than .* tokens"),
    ],
)
def test_invalid_calls_are_refused(served: Predictor, args: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        served.answer(args)


def test_trained_model_passes_the_check(serve: Serve, made: Path) -> None:
    _, told = serve(made)
    assert "Answers to 4 prompts are those of the trained model." in told


def test_tampered_adapter_is_blocked(serve: Serve, project: Path) -> None:
    weights = project / "adapter" / "adapter_model.safetensors"
    tensors = load_file(weights)
    # One of the two factors of each update: the update is another one.
    spoilt = {name: t * -4.0 if "lora_A" in name else t for name, t in tensors.items()}
    save_file(spoilt, weights)
    with pytest.raises(ParityError, match=r"Answers differ on prompt \d of 4"):
        serve(project)


def test_tampered_tokenizer_is_blocked(serve: Serve, project: Path) -> None:
    edit(project / "base" / "tokenizer.json", lambda t: t["model"]["merges"].pop())
    with pytest.raises(ParityError, match="Wrong tokenizer"):
        serve(project)


def test_different_end_of_text_is_blocked(serve: Serve, project: Path) -> None:
    tokenizer = load_tokenizer(str(project / "base"))
    other = tokenizer.convert_ids_to_tokens(300)
    edit(project / "base" / "tokenizer_config.json", lambda c: c.update(eos_token=other))
    with pytest.raises(ParityError, match="EOS differs"):
        serve(project)


def test_numbers_of_another_kind_may_tip_an_answer(serve: Serve, project: Path) -> None:
    def otherwise(recorded: Any) -> None:
        recorded["calculated"] = "torch.bfloat16 on cuda"
        recorded["samples"][1]["tokens"] = [1, 2, 3]

    edit(project / "adapter" / ANSWERS_FILE, otherwise)
    _, told = serve(project)
    assert any(
        "differ on prompt 2 of 4: the model was trained with torch.bfloat16" in t for t in told
    )


def test_adapter_from_elsewhere_is_served_unverified(serve: Serve, project: Path) -> None:
    (project / "adapter" / ANSWERS_FILE).unlink()
    predictor, told = serve(project)
    assert "The adapter's folder has no parity.json" in told[0]
    assert predictor.answer({"prompt": INPUTS[0]})


@pytest.mark.parametrize(
    ("environment", "kind", "told"),
    [
        ({SERVED_BASE: ""}, ModelError, "must name the base model"),
        ({SERVED_BASE: "nowhere"}, ModelError, "nowhere cannot be loaded"),
        ({SERVED_ADAPTER: "nowhere"}, ModelError, "nowhere cannot be loaded"),
        ({SERVED_GENERATION: "{"}, SettingsError, "not JSON"),
        ({SERVED_GENERATION: "[]"}, SettingsError, "must be a JSON object"),
        ({SERVED_GENERATION: '{"invented": 1}'}, SettingsError, "unknown setting invented"),
        ({SERVED_GENERATION: '{"max_new_tokens": "9"}'}, SettingsError, "max_new_tokens: must be"),
    ],
)
def test_unloadable_models_are_refused(
    serve: Serve, made: Path, environment: dict[str, str], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told):
        serve(made, **environment)


@pytest.mark.starts_processes
def test_script_ends_with_the_reason(made: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(TRAINER / "scripts" / "predict.py")],
        cwd=made,
        env={
            **os.environ,
            "PYTHONPATH": str(TRAINER.parent),
            SERVED_BASE: "base",
            SERVED_ADAPTER: "nowhere",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == NOT_TO_BE_REPEATED
    assert "Adapter nowhere cannot be loaded" in done.stdout


def test_inputs_need_a_prompt() -> None:
    rows = Dataset.from_list(ROWS)
    assert trained_answers.inputs(PromptMetadata(input_template="{other}"), rows) == []
    assert len(INPUTS) == trained_answers.SAMPLES


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"version": 3}', "[" * 100_000])
def test_recorded_answers_that_cannot_be_read_block(tmp_path: Path, content: str) -> None:
    (tmp_path / ANSWERS_FILE).write_text(content)
    with pytest.raises(
        ParityError,
        match=r"parity\.json in the adapter's folder (is not JSON|has an unknown version)",
    ):
        trained_answers.check(tmp_path, None, None, print)


def test_recorded_answers_that_are_no_file_block(tmp_path: Path) -> None:
    (tmp_path / ANSWERS_FILE).mkdir()
    with pytest.raises(ParityError, match=r"parity\.json in the adapter's folder cannot be read"):
        trained_answers.check(tmp_path, None, None, print)


ANSWERS = {
    "version": 2,
    "tokenizer": "",
    "eos_token_id": 0,
    "chat_template": None,
    "calculated": "",
    "generation": trained_answers.GREEDY,
    "samples": [{"input": "a", "tokens": [1]}],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, ...) for name in ANSWERS if name != "version"),
        ("tokenizer", 1),
        ("eos_token_id", "0"),
        ("chat_template", 1),
        ("generation", []),
        ("generation", {}),
        ("generation", {"do_sample": False, "max_new_tokens": 10**9}),
        ("generation", {**trained_answers.GREEDY, "num_beams": 0}),
        ("generation", {**trained_answers.GREEDY, "eos_token_id": ["0"]}),
        ("samples", {}),
        ("samples", ["a"]),
        ("samples", [{"input": "a"}]),
        ("samples", [{"input": "", "tokens": [1]}]),
        ("samples", [{"input": "a", "tokens": ["1"]}]),
    ],
)
def test_recorded_answers_that_are_broken_block(tmp_path: Path, name: str, value: Any) -> None:
    content = {key: one for key, one in {**ANSWERS, name: value}.items() if one is not ...}
    (tmp_path / ANSWERS_FILE).write_text(json.dumps(content))
    with pytest.raises(ParityError, match=f"is broken: {name} has no valid value"):
        trained_answers.check(tmp_path, None, None, print)


def test_answers_that_an_earlier_version_recorded_are_verified(serve: Serve, project: Path) -> None:
    def earlier(recorded: Any) -> None:
        recorded["version"] = 1
        del recorded["chat_template"]

    edit(project / "adapter" / ANSWERS_FILE, earlier)
    assert "Answers to 4 prompts are those of the trained model." in serve(project)[1]
