"""`--check`: what would be refused and what is to be expected, with nothing started."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from ft import api
from ft.cli.app import app
from ft.cli.exits import Exit

Fts = Callable[..., Result]
TRAIN = ("train", "--name", "new", "--model", "m", "--dataset", "d", "--prompt", "p", "--check")
EVALUATE = ("evaluate", "--model", "m", "--dataset", "d", "--prompt", "p", "--check")
EXPECTED: dict[str, Any] = {
    "data": api.DataSummary(
        rows=2000,
        used_rows=1800,
        held_out_rows=200,
        tokens=54321,
        longest_row_tokens=80,
        context_tokens=64,
        steps_per_epoch=113,
        total_steps=339,
        pad_token="<pad>",
    ),
    "memory": api.MemoryEstimate(gib=1.25, asked_gib=4, reasoning=["base weights 0.5 GiB"]),
}
FOUND = [
    api.Finding(
        severity="ERROR",
        field="lora_config",
        rule="FT-806",
        description="unknown setting lora_alfa. Did you mean lora_alpha?",
    ),
    api.Finding(
        severity="WARNING",
        field="dataset_id",
        rule="FT-857",
        description="rows are cut",
        rows=12,
        places=["line 7", "line 9"],
    ),
]


@pytest.fixture
def fts(server: Any, studio: Any, tmp_path: Path) -> Fts:
    """Runs the command against the server, which knows m, d and p."""
    for kind, id, message in (
        ("model", "m", api.ModelMetadata),
        ("dataset", "d", api.DatasetMetadata),
        ("prompt", "p", api.PromptMetadata),
    ):
        studio.kept.setdefault(kind, {})[id] = message(id=id, name=id)

    def run(*arguments: str) -> Result:
        where = ("--server", f"127.0.0.1:{server.port}", "--home", str(tmp_path / "home"))
        return CliRunner().invoke(app, [*arguments, *where], catch_exceptions=False)

    return run


def answer(studio: Any, name: str, response: Any) -> None:
    setattr(studio, name, lambda request, context: response)


def test_check_shows_a_valid_job_with_its_estimates(fts: Fts, studio: Any) -> None:
    time = api.TimeEstimate(seconds=3725, tokens_per_second=1234.5, job_ids=["j-1", "j-2"])
    report = api.ValidateFineTuningJobResponse(valid=True, time=time, **EXPECTED)
    answer(studio, "ValidateFineTuningJob", report)
    shown = fts(*TRAIN, "--epochs", "3")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "rows: 1,800 of 2,000, 200 held out",
        "tokens: 54,321; longest row 80, context 64; padded with '<pad>'",
        "steps: 339, 113 per pass",
        "memory: 1.2 GiB of 4.0 GiB",
        "  base weights 0.5 GiB",
        "time: 1 h 2 min at 1,234 tokens/s, as in j-1, j-2",
        "The job would be accepted.",
    ]
    assert studio.requests[-1].request.num_epochs == 3
    assert not studio.calls["StartFineTuningJob"]


def test_check_explains_a_refused_job_and_sets_the_status(fts: Fts, studio: Any) -> None:
    report = api.ValidateFineTuningJobResponse(findings=FOUND)
    answer(studio, "ValidateFineTuningJob", report)
    shown = fts(*TRAIN)
    assert shown.exit_code == Exit.REFUSED
    assert "Did you mean lora_alpha?" in shown.stdout
    assert "rows are cut (12 rows: line 7, line 9)" in shown.stdout
    assert "would be refused" in shown.stderr
    asked = fts(*TRAIN, "--json")
    assert asked.exit_code == Exit.REFUSED
    assert [one["rule"] for one in json.loads(asked.stdout)["findings"]] == ["FT-806", "FT-857"]


def test_check_covers_evaluations(fts: Fts, studio: Any) -> None:
    report = api.ValidateEvaluationJobResponse(valid=True, findings=FOUND[1:], **EXPECTED)
    answer(studio, "ValidateEvaluationJob", report)
    shown = fts(*EVALUATE, "--cpu", "1")
    assert shown.exit_code == 0
    assert "WARNING" in shown.stdout
    assert "memory: 1.2 GiB" in shown.stdout
    assert studio.requests[-1].request.cpu == 1
    assert not studio.calls["StartEvaluationJob"]


def ships(studio: Any, kind: str, config: str) -> None:
    def configs(request: Any, context: Any) -> api.ListConfigsResponse:
        assert request.model_id == "m"
        shipped = api.ConfigMetadata(id="c", type=kind, config=config, is_default=1)
        return api.ListConfigsResponse(configs=[shipped] if request.type == kind else [])

    studio.ListConfigs = configs


def accepting(studio: Any, rpc: str, response: Any) -> list[Any]:
    """Has a Validate RPC accept all; the requests that it is asked about."""
    asked: list[Any] = []

    def validate(request: Any, context: Any) -> Any:
        asked.append(request.request)
        return response

    setattr(studio, rpc, validate)
    return asked


def test_typed_config_adds_to_the_shipped_one_and_is_shown(fts: Fts, studio: Any) -> None:
    ships(studio, "training_arguments", '{"optim": "sgd", "learning_rate": 0.0002}')
    asked = accepting(
        studio, "ValidateFineTuningJob", api.ValidateFineTuningJobResponse(valid=True)
    )
    shown = fts(*TRAIN, "--training-arguments", '{"seed": 7, "optim": null}', "--epochs", "3")
    assert json.loads(asked[-1].training_arguments_config) == {"seed": 7, "learning_rate": 0.0002}
    assert "learning_rate: 0.0002\n" in shown.stdout
    assert "seed: 7   (not in the shipped config)" in shown.stdout
    assert 'optim: -   (removed; shipped: "sgd")' in shown.stdout
    assert "num_train_epochs: 3   (not in the shipped config)" in shown.stdout

    fts(*TRAIN, "--training-arguments", '{"seed": 7}', "--whole-config")
    assert json.loads(asked[-1].training_arguments_config) == {"seed": 7}
    fts(*TRAIN)
    assert asked[-1].training_arguments_config == ""
    fts(*TRAIN, "--training-arguments", '{"seed": ')
    assert asked[-1].training_arguments_config == '{"seed": '


def test_typed_generation_config_adds_to_the_shipped_one(fts: Fts, studio: Any) -> None:
    ships(studio, "generation_config", '{"do_sample": true, "top_k": 50, "max_new_tokens": 60}')
    asked = accepting(
        studio, "ValidateEvaluationJob", api.ValidateEvaluationJobResponse(valid=True)
    )
    shown = fts(*EVALUATE, "--generation-config", '{"do_sample": false}')
    assert json.loads(asked[-1].generation_config) == {"do_sample": False, "max_new_tokens": 60}
    assert "do_sample: false   (shipped: true)" in shown.stdout


STARTS = [
    (TRAIN[:-1], "FineTuning", api.ValidateFineTuningJobResponse),
    (EVALUATE[:-1], "Evaluation", api.ValidateEvaluationJobResponse),
]


@pytest.mark.parametrize(("command", "kind", "report"), STARTS)
def test_job_with_errors_starts_only_by_force(
    fts: Fts, studio: Any, command: tuple[str, ...], kind: str, report: Any
) -> None:
    answer(studio, f"Validate{kind}Job", report(findings=FOUND))

    refused = fts(*command)
    assert refused.exit_code == Exit.REFUSED
    assert "lora_config: unknown setting lora_alfa" in refused.stderr
    assert "warning: dataset_id: rows are cut (12 rows: line 7, line 9) (FT-857)" in refused.stderr
    assert "--unchecked" in refused.stderr
    assert (refused.stdout, studio.calls[f"Start{kind}Job"]) == ("", 0)

    assert fts(*command, "--unchecked").exit_code == 0
    assert studio.calls[f"Start{kind}Job"] == 1


@pytest.mark.parametrize(("command", "kind", "report"), STARTS)
def test_job_with_warnings_starts_and_they_go_to_stderr(
    fts: Fts, studio: Any, command: tuple[str, ...], kind: str, report: Any
) -> None:
    answer(studio, f"Validate{kind}Job", report(valid=True, findings=FOUND[1:]))

    begun = fts(*command, "--json")

    assert begun.exit_code == 0
    assert "warning: dataset_id: rows are cut" in begun.stderr
    assert json.loads(begun.stdout)
    assert studio.calls[f"Start{kind}Job"] == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "was not checked before its start: .*inspections are running",
        ),
        (grpc.StatusCode.UNAVAILABLE, "was not checked before its start"),
        (grpc.StatusCode.UNIMPLEMENTED, ""),
    ],
)
def test_job_that_cannot_be_checked_is_started(
    fts: Fts, studio: Any, code: grpc.StatusCode, said: str
) -> None:
    def refuse(request: Any, context: Any) -> None:
        context.abort(code, "2 inspections are running, the most at a time; try again later")

    studio.ValidateFineTuningJob = refuse
    begun = fts(*TRAIN[:-1])
    assert begun.exit_code == 0, begun.stderr
    assert re.search(said, begun.stderr)
    assert studio.calls["StartFineTuningJob"] == 1


@pytest.mark.parametrize(
    ("options", "config", "said"),
    [
        (("--epochs", "3"), {"num_train_epochs": 5}, "--epochs 3 and num_train_epochs 5 of"),
        (("--learning-rate", "0.1"), {"learning_rate": 0.2}, "--learning-rate 0.1 and learning_ra"),
        (("--epochs", "3"), {"max_steps": 9}, "--epochs 3 has no effect, because max_steps 9"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--whole-config",)])
def test_setting_typed_twice_is_refused(
    fts: Fts, studio: Any, options: Any, config: dict[str, Any], said: str, more: Any
) -> None:
    refused = fts(*TRAIN, *options, "--training-arguments", json.dumps(config), *more)

    assert refused.exit_code == Exit.USAGE
    assert said in refused.stderr
    assert "give one of them" in refused.stderr
    assert not studio.calls["ValidateFineTuningJob"]


def test_option_replaces_a_shipped_value(fts: Fts, studio: Any) -> None:
    ships(studio, "training_arguments", '{"num_train_epochs": 1, "learning_rate": 0.0002}')
    asked = accepting(
        studio, "ValidateFineTuningJob", api.ValidateFineTuningJobResponse(valid=True)
    )
    for config in ('{"seed": 7}', '{"seed": 7, "num_train_epochs": 3}'):
        fts(*TRAIN, "--epochs", "3", "--training-arguments", config)
        sent = json.loads(asked[-1].training_arguments_config)
        assert (asked[-1].num_epochs, sent["num_train_epochs"]) == (3, 3)
        assert sent["learning_rate"] == 0.0002


def test_gpu_memory_is_not_compared_with_main_memory(fts: Fts, studio: Any) -> None:
    memory = api.MemoryEstimate(gib=0.02, asked_gib=8, on_gpu=True)
    report = api.ValidateFineTuningJobResponse(valid=True, memory=memory)
    answer(studio, "ValidateFineTuningJob", report)
    shown = fts(*TRAIN, "--gpu", "1").stdout
    assert "memory: 0.02 GiB of the GPU, and the requested 8.0 GiB of main memory" in shown
