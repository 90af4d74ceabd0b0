"""Templates that hurt are told where people type: when a prompt is added, and by the checks of a
training and of an evaluation."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from tests.e2e.conftest import FTS, Studio
from tests.support import run

ASKED, ANSWER = "### CUSTOMER: {customer}\n### ACTION:", " {action}"
END = "<|end|>"
"""The starter's tokenizer ends texts with it; that of the model `bos-model` begins them so, too."""
Templates = tuple[str, str, str]


class Typing:
    """What a person types, and is told."""

    def __init__(self, studio: Studio) -> None:
        self._env = studio.env
        self._told: dict[tuple[Templates, str], dict[str, str]] = {}

    def fts(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return run(FTS, *arguments, env=self._env)

    def add(
        self, name: str, templates: Templates, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Adds a prompt."""
        fields = ("--prompt-template", "--input-template", "--completion-template")
        words = [word for pair in zip(fields, templates, strict=True) for word in pair]
        added = self.fts("prompts", "add", "--name", name, "--dataset", "templates", *words, *more)
        assert added.returncode == 0, added.stderr
        return added

    def told(self, templates: Templates, model: str) -> dict[str, str]:
        """Lines about the templates, by what was typed: the prompt is added and both kinds of jobs
        are checked over it."""
        if (templates, model) not in self._told:
            self._told[templates, model] = self._ask(templates, model)
        return self._told[templates, model]

    def _ask(self, templates: Templates, model: str) -> dict[str, str]:
        name = f"prompt-{len(self._told)}"
        added = self.add(name, templates)
        job = ("--model", model, "--dataset", "templates", "--prompt", name, "--check")
        size = ("--cpu", "1", "--memory", "2")
        train = self.fts("train", "--name", "any", *job, *size)
        evaluate = self.fts("eval", "start", *job, *size)
        assert "rows:" in train.stdout, train.stderr
        assert "rows:" in evaluate.stdout, evaluate.stderr
        return {
            "add": _lines(added.stderr),
            "train": _lines(train.stdout),
            "eval": _lines(evaluate.stdout),
        }


def _lines(output: str) -> str:
    return "\n".join(line for line in output.splitlines() if "_template" in line)


@pytest.fixture(scope="module")
def typing(studio: Studio) -> Iterator[Typing]:
    """In a studio that has the starter's data and model, and a model whose tokenizer puts a token
    before each text."""
    typing = Typing(studio)
    folder = studio.project / "with-beginning"
    shutil.copytree(studio.project / "starter/model", folder)
    _put_beginning(folder)
    for words in (
        ("datasets", "add", "--location", "starter/intents", "--name", "templates"),
        ("models", "add", "--location", "starter/model", "--name", "plain-model"),
        ("models", "add", "--location", "with-beginning", "--name", "bos-model"),
    ):
        done = typing.fts(*words)
        assert done.returncode == 0, done.stderr
    yield typing
    shutil.rmtree(folder)


def _put_beginning(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"bos_token": END}))


@pytest.mark.parametrize(
    ("templates", "model", "told", "where"),
    [
        # A blank at the end, to be seen as one.
        (
            (f"{ASKED} {{action}}", f"{ASKED} ", "{action}"),
            "plain-model",
            ("input_template ends with whitespace: ", "ACTION:\u00b7 (", "FT-403"),
            ("add", "train", "eval"),
        ),
        # The end of text, which training puts there too.
        (
            (f"{ASKED}{ANSWER}{END}", ASKED, f"{ANSWER}{END}"),
            "plain-model",
            (f"prompt_template ends with {END}, but training adds the end-of-text token to",),
            ("add", "train", "eval"),
        ),
        (
            (f"{ASKED}{ANSWER}{END}", ASKED, f"{ANSWER}{END}"),
            "plain-model",
            (f"completion_template contains {END}", "no answer would be an exact match"),
            ("add", "train", "eval"),
        ),
        # A beginning that some tokenizers put there too: a check knows whether the model's does.
        (
            (f"<s>{ASKED}{ANSWER}", f"<s>{ASKED}", ANSWER),
            "plain-model",
            ("input_template begins with <s>, but the tokenizer adds its own", "common spelling"),
            ("add",),
        ),
        (
            (f"{END}{ASKED}{ANSWER}", f"{END}{ASKED}", ANSWER),
            "bos-model",
            (f"input_template begins with {END}, but the tokenizer adds its own before each text",),
            ("train", "eval"),
        ),
        (
            (f"{END}{ASKED}{ANSWER}", f"{END}{ASKED}", ANSWER),
            "plain-model",
            (f"input_template begins with {END}",),
            (),
        ),
    ],
)
def test_harmful_templates_are_reported(
    typing: Typing, templates: Templates, model: str, told: tuple[str, ...], where: tuple[str, ...]
) -> None:
    found = typing.told(templates, model)
    for place, lines in found.items():
        hit = any(all(part in line for part in told) for line in lines.splitlines())
        assert hit == (place in where), (place, lines)


def test_template_notices_go_to_programs_apart_from_the_json(typing: Typing) -> None:
    added = typing.add("for-a-program", (f"{ASKED} {{action}}", f"{ASKED} ", "{action}"), "--json")
    assert json.loads(added.stdout)["name"] == "for-a-program"
    assert "input_template ends with whitespace" in added.stderr


@pytest.mark.parametrize("model", ["plain-model", "bos-model"])
def test_good_templates_have_no_notice(typing: Typing, model: str) -> None:
    found = typing.told((f"{ASKED}{ANSWER}", ASKED, ANSWER), model)
    assert found == {"add": "", "train": "", "eval": ""}
