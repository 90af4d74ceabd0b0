"""Settings of a config that jobs would refuse, told where it is stored."""

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
"""Of what the hardware of a job decides, which is not known here."""


def unfit(client: FineTuningStudioClient, type: api.ConfigType, config: str) -> list[str]:
    """What a job would refuse of the config, a sentence each.

    The studio is asked to validate a job that has nothing but the config: of its findings, those
    about the config count. Nothing is told of types that no job of the studio's own reads, and
    where the studio does not answer.
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
