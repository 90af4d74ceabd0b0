"""Mistakes of somebody who is new are answered with what to do, on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import FTS, Studio
from tests.support import run

TALKS = (
    [{"role": "human", "content": "hi"}, {"role": "gpt", "content": "hello"}],
    [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
)
PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"


@pytest.fixture(scope="module")
def model(studio: Studio) -> str:
    """The starter model, registered."""
    added: dict[str, Any] = studio.fts(
        "models", "add", "--name", "steps-model", "--location", "starter/model"
    )
    return str(added["id"])


def said(studio: Studio, *arguments: str, folder: Path | None = None) -> tuple[int, str]:
    """Runs `fts`; its exit status and all that it printed, in one line."""
    done = run(FTS, *arguments, env=studio.env, cwd=folder)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def talks(studio: Studio, model: str, name: str, rows: Any) -> tuple[str, ...]:
    """Registers conversations with a prompt; the command that checks a training on them."""
    lines = (json.dumps({"messages": row}) for row in rows)
    (studio.project / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    studio.fts("datasets", "add", "--name", name, "--location", f"{name}.jsonl")
    templates = ("--prompt-template", "--input-template", "--completion-template")
    given = [word for option in templates for word in (option, "{messages}")]
    studio.fts("prompts", "add", "--name", name, "--dataset", name, *given)
    which = ("--model", model, "--dataset", name, "--prompt", name)
    return ("train", "--name", f"a-{name}", *which, "--split", "1", "--check")


def test_chat_template_is_looked_up_where_the_job_reads_it(studio: Studio, model: str) -> None:
    good, people = (
        talks(studio, model, "good-talks", TALKS[1:] * 2),
        talks(studio, model, "human-talks", TALKS[:1] * 2),
    )
    (studio.project / "plain.jinja").write_text(PLAIN)

    def check(command: tuple[str, ...], path: str) -> tuple[int, str]:
        settings = json.dumps({"chat_template_path": path})
        return said(studio, *command, "--training-arguments", settings)

    status, text = check(good, "nochat.jinja")
    assert (status, "accepted" in text) == (4, False)
    assert "FT-131" in text
    assert "nochat.jinja" in text
    assert "The job would be accepted." in check(good, "plain.jinja")[1]
    for path in ("plain.jinja", "nochat.jinja"):
        status, text = check(people, path)
        assert (status, "FT-872" in text) == (4, True)
    status, text = said(studio, *people)
    assert (status, "FT-872" in text) == (4, True)


def test_misplaced_file_is_refused_with_the_folder_and_the_remedy(
    studio: Studio, tmp_path: Path
) -> None:
    here = tmp_path / "my tickets.csv"
    here.write_text("question,answer\na,b\n")
    there = studio.project / "tickets.csv"
    there.write_text(here.read_text())
    add = ("datasets", "add", "--name", "steps-tickets", "--location")

    status, text = said(studio, *add, str(here))
    assert status == 4
    assert f"The project directory is {studio.project}: copy it there (cp '{here}'" in text
    inside = f"{studio.project.name}/tickets.csv"
    status, text = said(studio, *add, inside, folder=studio.project.parent)
    assert (status, "so give tickets.csv." in text) == (4, True)
    status, text = said(studio, *add, "nowhere.csv")
    assert f"The project directory is {studio.project}: put it there" in text
    # Of a studio that is named by its address nothing is told but its own words.
    status, text = said(studio, *add, str(here), "--server", studio.address)
    assert (status, str(studio.project) in text) == (4, False)


def test_export_is_imported_from_where_it_lies(studio: Studio, tmp_path: Path) -> None:
    assert said(studio, "db", "export", "all.json", folder=tmp_path)[0] == 0
    status, text = said(studio, "db", "import", "all.json", "--dry-run", folder=tmp_path)
    assert (status, "all.json can be imported" in text) == (0, True)
    (studio.project / "all.json").write_bytes((tmp_path / "all.json").read_bytes())
    status, text = said(studio, "db", "import", "all.json", "--dry-run", folder=tmp_path)
    assert (status, "give the whole path" in text) == (2, True)
    (tmp_path / "all.json").unlink()
    status, text = said(studio, "db", "import", "all.json", "--dry-run", folder=tmp_path)
    assert (status, "all.json can be imported" in text) == (0, True)


def test_config_that_no_job_takes_is_reported_when_stored(studio: Studio, model: str) -> None:
    for type, config, told in (
        ("lora_config", {"rr": 3}, "unknown setting rr"),
        ("lora_config", {"r": 0}, "r must be"),
        ("training_arguments", {"max_steps": 0}, "max_steps"),
        ("generation_config", {"top_q": 1}, "unknown setting top_q"),
        ("bitsandbytes_config", {"load_in_3bit": True}, "unknown setting load_in_3bit"),
        ("custom", {"rr": 3}, ""),
        ("lora_config", {"r": 3}, ""),
        ("training_arguments", {"ddp_backend": "nccl"}, ""),
    ):
        status, text = said(
            studio, "configs", "add", "--type", type, "--config", json.dumps(config)
        )
        assert status == 0
        assert told in text
        assert ("A job with this config is refused" in text) == bool(told)
    where = ("--model", model, "--location", "starter/model")
    status, text = said(studio, "adapters", "add", "--name", "no-adapter", *where)
    assert (status, "it looks like a base model" in text) == (0, True)
    assert "there is no adapter_config.json" in text


def test_records_that_name_a_removed_dataset_are_reported(studio: Studio, model: str) -> None:
    talks(studio, model, "gone-talks", TALKS[1:])
    status, text = said(studio, "datasets", "remove", "gone-talks")
    assert (status, "without this dataset now: prompt gone-talks." in text) == (0, True)
