"""Null in configs means what docs/api/introduction.md says."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from ft import api
from ft.client import StudioError
from jobs.requests.configs import TYPES
from jobs.requests.settings import SCHEMAS
from tests.contract.furnished import COLUMNS, Target

OF_TRAINING = (
    "training_arguments_config",
    "lora_config",
    "model_bnb_config",
    "adapter_bnb_config",
)
DECIDED = (
    "base_model",
    "output_dir",
    "dataset_prepared_path",
    "resume_from_checkpoint",
    "plugins",
    "seed",
    "learning_rate",
    "num_epochs",
    "sequence_len",
    "val_set_size",
    "test_datasets",
    "special_tokens",
    "wandb_project",
    "not_a_setting",
)
"""Settings that the studio fills in, and others that are often left empty."""
OF_ROWS = ("path", "name", "split", "ds_type", "data_files", "revision", "shards")


def refused_by_the_library(field: str) -> set[str]:
    """Settings that the library takes no null for."""
    schema = json.loads((SCHEMAS / f"{TYPES[field]}.json").read_text())
    known = schema["properties"].items()
    return {name for name, one in known if not Draft202012Validator(one).is_valid(None)}


@pytest.mark.parametrize("field", [*OF_TRAINING, "generation_config"])
def test_null_in_json_is_a_value_for_the_library(target: Target, field: str) -> None:
    schema = json.loads((SCHEMAS / f"{TYPES[field]}.json").read_text())
    config = json.dumps(dict.fromkeys(schema["properties"]))
    if field in OF_TRAINING:
        training = target.valid("StartFineTuningJob")
        setattr(training, field, config)
        asked = api.ValidateFineTuningJobRequest(request=training)
        found = target.client.ValidateFineTuningJob(asked).findings
    else:
        evaluation = target.valid("StartEvaluationJob")
        evaluation.generation_config = config
        looked = api.ValidateEvaluationJobRequest(request=evaluation)
        found = target.client.ValidateEvaluationJob(looked).findings
    told = {
        one.description.split()[0] for one in found if (one.field, one.rule) == (field, "FT-807")
    }
    # For the generation there is none: it has a default of its own for everything.
    assert told == refused_by_the_library(field)
    assert told < set(schema["properties"])


@pytest.mark.parametrize("field", [*OF_TRAINING, "user_config"])
def test_null_in_place_of_a_config_is_refused(target: Target, field: str) -> None:
    training = target.valid("StartFineTuningJob")
    setattr(training, field, "null")
    with pytest.raises(StudioError) as refused:
        target.client.StartFineTuningJob(training)
    [violation] = refused.value.violations
    assert (violation.field, violation.rule) == (field, "FT-006")


@pytest.mark.parametrize("type", ["lora_config", "custom", "axolotl"])
def test_null_in_place_of_a_stored_config_is_refused(target: Target, type: str) -> None:
    with pytest.raises(StudioError) as refused:
        target.client.AddConfig(api.AddConfigRequest(type=type, config="null"))
    [violation] = refused.value.violations
    assert (violation.field, violation.rule) == ("config", "FT-501")


def test_null_stays_in_a_users_own_config(target: Target) -> None:
    training = target.valid("StartFineTuningJob", "with a user_script")
    training.user_config = '{"mine": null}'
    started = target.client.StartFineTuningJob(training).fine_tuning_job
    assert json.loads(started.user_config) == {"mine": None}


def start(target: Target, config: str) -> api.FineTuningJobMetadata:
    """The job of an Axolotl config that is stored before."""
    stored = target.client.AddConfig(api.AddConfigRequest(type="axolotl", config=config)).config
    training = target.valid("StartFineTuningJob", "framework axolotl")
    training.axolotl_config_id = stored.id
    training.prompt_id = ""
    looked = target.client.ValidateFineTuningJob(api.ValidateFineTuningJobRequest(request=training))
    job = target.client.StartFineTuningJob(training).fine_tuning_job
    assert looked.valid, looked
    return job


def test_axolotl_config_allows_null_where_the_library_does(target: Target) -> None:
    dataset = {**dict.fromkeys(OF_ROWS), "type": "alpaca"}
    content = {**dict.fromkeys(DECIDED), "adapter": "lora", "datasets": [dataset]}
    job = start(target, yaml.safe_dump(content))
    assert (job.num_epochs, job.learning_rate) == (1, pytest.approx(2e-4))
    assert job.prompt_id
    # The same where they are empty texts, or not there.
    texts = {"base_model": "", "output_dir": "", "adapter": "lora"}
    start(target, yaml.safe_dump({**texts, "datasets": [{"path": "", "type": "alpaca"}]}))
    start(target, "{adapter: lora, datasets: [{type: alpaca}]}")


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ("{adapter: , datasets: [{type: alpaca}]}", "FT-609"),
        ("{datasets: [{type: alpaca}]}", "FT-609"),
        ("{adapter: lora, datasets: [{type: }]}", "FT-607"),
        ("{adapter: lora, datasets: [{path: x}]}", "FT-607"),
        ("{adapter: lora, datasets: }", "FT-607"),
        ("{adapter: lora}", "FT-607"),
        ("{adapter: lora, datasets: [{type: alpaca}], trl: {use_vllm: }}", "FT-612"),
    ],
)
def test_axolotl_config_requires_its_fields(target: Target, config: str, rule: str) -> None:
    with pytest.raises(StudioError) as refused:
        start(target, config)
    [violation] = refused.value.violations
    assert (violation.field, violation.rule) == ("axolotl_config_id", rule)


def test_axolotl_row_format_is_that_of_the_data(target: Target) -> None:
    dataset = target.client.GetDataset(api.GetDatasetRequest(id=target.ids["dataset"])).dataset
    assert tuple(json.loads(dataset.features)) == COLUMNS
