"""The rules about models and their export."""

from chassis.rpc.rules import Rule

ON_HUB = Rule("FT-201", "A hub name is that of a model on the hub.")
LOADABLE = Rule("FT-202", "A model's directory has a config.json that names the kind of model.")
REGISTERED = Rule("FT-203", "A registry id is that of a model in the workspace's model registry.")
ADAPTER_FITS = Rule("FT-204", "An adapter is exported with the model that it was trained on.")
SERVABLE_BASE = Rule("FT-205", "A base model that is served is of type huggingface or project.")
SERVABLE_ADAPTER = Rule("FT-206", "An adapter that is served is of type project.")
TRAINED_PROMPT = Rule(
    "FT-208", "The prompt of an adapter that is exported is the one that it was trained with."
)
REGISTRY_NAME = Rule(
    "FT-220",
    "The name of an export contains none of / : \" ' and is not . or .., and its "
    "artifact_location contains none of / : . % \" '.",
)
EXPORTED_ADAPTER = Rule(
    "FT-221", "An adapter that a job exports is of type project or huggingface."
)
EXPORT_NAME = Rule(
    "FT-222",
    "The name of an export has at most 256 characters, none of them a control character or a line "
    "break.",
)
WHOLE_ADAPTER = Rule(
    "FT-225",
    "The files of an adapter that is exported or served are complete, its weights are finite, and"
    " they fit its base model.",
)
