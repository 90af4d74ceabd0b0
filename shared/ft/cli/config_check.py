"""Checks a stored config for settings that jobs would refuse."""

from ft import api
from ft.client import FineTuningStudioClient, StudioError

_OF_TRAINING = {
    api.ConfigType.TRAINING_ARGUMENTS: "training_arguments_config",
    api.ConfigType.LORA_CONFIG: "lora_config",
    api.ConfigType.BITSANDBYTES_CONFIG: "model_bnb_config",
}
"""The fields of a request to train that carry configs, by type."""
_GENERATION = "generation_config"
_HARDWARE = "FT-622"
"""Rule about the hardware of a job, which is not known here."""


def config_faults(client: FineTuningStudioClient, type: api.ConfigType, config: str) -> list[str]:
    """Settings of the config that a job would refuse, a sentence each.

    Asks the studio to validate a job that has only the config, and keeps the findings about it.
    Returns none for types that only other software reads, and if the studio does not answer.
    """
    try:
        if type in _OF_TRAINING:
            field = _OF_TRAINING[type]
            training = api.StartFineTuningJobRequest()
            setattr(training, field, config)
            asked = api.ValidateFineTuningJobRequest(request=training)
            findings = client.ValidateFineTuningJob(asked).findings
        elif type == api.ConfigType.GENERATION_CONFIG:
            field = _GENERATION
            evaluation = api.StartEvaluationJobRequest(generation_config=config)
            wanted = api.ValidateEvaluationJobRequest(request=evaluation)
            findings = client.ValidateEvaluationJob(wanted).findings
        else:
            return []
    except StudioError:
        # The config is stored; a job that uses it is checked again.
        return []
    return [
        f"A job with this config is refused: {one.description} ({one.rule})."
        for one in findings
        if one.severity == "ERROR" and one.field == field and one.rule != _HARDWARE
    ]
