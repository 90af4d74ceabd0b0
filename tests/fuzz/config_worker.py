"""Tries configs for real: one line of JSON in, one out. Runs in the trainer's environment.

A line asks for {"training": …, "lora": …, "bnb": …} or for {"generation": …}. The answer is
{"error": null}, or what went wrong. A training is that of a job, on a tiny model, ended after its
first step; a generation writes a few tokens.
"""

import gc
import json
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from trainer.job.run import quiet_libraries

quiet_libraries()  # They read it when they are imported.

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, TrainerCallback  # noqa: E402

from trainer.job.arguments import fine_tune_arguments  # noqa: E402
from trainer.job.events import EventLog  # noqa: E402
from trainer.model.generation import continue_texts  # noqa: E402
from trainer.model.hardware import Hardware, fit_quantisation  # noqa: E402
from trainer.schemas import settings  # noqa: E402
from trainer.starter.phrases import HERE  # noqa: E402
from trainer.tests.studio import Direct, Studio  # noqa: E402
from trainer.training.job import FineTuning  # noqa: E402

ROWS = 12
TOKENS = 4
"""Most that are generated: more would only take longer."""
QUESTIONS = ["### CUSTOMER: hello\n### ACTION:", "### CUSTOMER: where is it?\n### ACTION:"]


class OneStep(FineTuning):
    """A job that ends after its first step, and registers nothing."""

    def _train(self, trainer: Any, *others: Any) -> None:
        trainer.add_callback(_Ended())
        super()._train(trainer, *others)

    def _describe(self, trainer: Any, folder: Path) -> None:
        pass

    def _announce(self) -> None:
        pass


class _Ended(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop = True


def make_model(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class Trial:
    """A project with a tiny model in it, in which configs are tried."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self._studio = Studio()
        self._studio.model.location = "tiny"
        self._studio.dataset.type = "project_jsonl"
        self._studio.dataset.location = "rows.jsonl"
        make_model(project / "tiny")
        lines = (HERE / "intents/train.jsonl").read_text().splitlines(keepends=True)
        (project / "rows.jsonl").write_text("".join(lines[:ROWS]))
        self._tokenizer = AutoTokenizer.from_pretrained(project / "tiny")

    def one(self, asked: dict[str, Any]) -> None:
        """Raises whatever a job would."""
        if "generation" in asked:
            self._generate(asked["generation"])
            return
        settings.make_quantisation_config("bnb_config", _constructible(asked.get("bnb", {})))
        self._train(asked)

    def _generate(self, config: dict[str, Any]) -> None:
        generation = settings.make_generation_config(config, self._tokenizer)
        generation.max_new_tokens = min(generation.max_new_tokens or TOKENS, TOKENS)
        model = LlamaForCausalLM.from_pretrained(self.project / "tiny")
        written = list(continue_texts(model, self._tokenizer, generation, QUESTIONS))
        assert len(written) == len(QUESTIONS)

    def _train(self, asked: dict[str, Any]) -> None:
        folder, adapter = self.project / "outputs/job", self.project / "adapters/job"
        for one in (folder, adapter):
            shutil.rmtree(one, ignore_errors=True)
        flags = {
            "base_model_id": "model",
            "dataset_id": "dataset",
            "prompt_id": "prompt",
            "experimentid": "job",
            "out_dir": "adapters/job",
            "train_out_dir": "outputs/job",
            "adapter_name": "job",
            "dist_num": 1,
            "dist_cpu": 1,
            "dist_gpu": 0,
            "train_test_split": 0.75,
        }
        named = {
            "training": "training_arguments_config",
            "lora": "lora_config",
            "bnb": "bnb_config",
        }
        for name, flag in named.items():
            text = json.dumps(asked.get(name, {}), separators=(",", ":"))
            flags[flag] = text.replace(" ", "\\u0020")
        words = " ".join(f"--{name} {value}" for name, value in flags.items())
        given = fine_tune_arguments({"JOB_ARGUMENTS": words})
        OneStep(given, Direct(self._studio), EventLog(folder), self.project).run()


def _constructible(config: dict[str, Any]) -> dict[str, Any] | None:
    # As a job with a GPU has it: where bitsandbytes is missing, its version cannot be asked for.
    fitted = fit_quantisation(config, Hardware(1, gpus=1, bitsandbytes=True), lambda _: None)
    return fitted


def main() -> None:
    """Answers until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    transformers.utils.logging.set_verbosity_error()
    transformers.BitsAndBytesConfig.post_init = _checked  # type: ignore[method-assign]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        trial = Trial(Path(folder))
        trial.one({})
        # The libraries collect garbage after each training. What has been imported is none.
        gc.freeze()
        answers.write(json.dumps({"project": str(trial.project)}) + "\n")
        for line in sys.stdin:
            error = None
            try:
                trial.one(json.loads(line))
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"[:600]
                place = traceback.extract_tb(raised.__traceback__)[-1]
                error += f" [{Path(place.filename).name}:{place.lineno}]"
            torch._dynamo.reset()
            answers.write(json.dumps({"error": error}) + "\n")


_post_init = transformers.BitsAndBytesConfig.post_init


def _checked(self: Any) -> None:
    """The library's own check, without asking for the version of a package that may be missing."""
    import importlib.metadata as metadata

    ask = metadata.version
    metadata.version = lambda name: "99" if name == "bitsandbytes" else ask(name)
    try:
        _post_init(self)
    finally:
        metadata.version = ask


if __name__ == "__main__":
    main()
