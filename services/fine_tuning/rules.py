"""The rules about fine-tuning jobs."""

from chassis.rpc.rules import Rule

ADAPTER_NAME = Rule(
    "FT-601",
    "An adapter's name consists of letters, digits and hyphens and does not begin with a hyphen.",
)
ADAPTER_NAME_FREE = Rule(
    "FT-602",
    "An adapter's name is not used by another adapter, or by another job that has made or may "
    "still make an adapter. A job that ended without an adapter does not keep its name.",
)
POSITIVE = Rule("FT-603", "Epochs and learning rate, where they are set, are numbers above 0.")
NAMES_AGREE = Rule(
    "FT-604",
    "A number that has two names in the contract is set under one of them, or equally under both.",
)
PROMPT_OF_DATASET = Rule("FT-605", "The prompt is written for the dataset.")
AVAILABLE = Rule("FT-606", "The studio supports the requested kind of training.")
AXOLOTL_FORMAT = Rule(
    "FT-607", "An Axolotl config is of type axolotl and names the format of its first dataset."
)
WORKERS = Rule("FT-608", "A job has at most 64 workers.")
AXOLOTL_ADAPTER = Rule("FT-609", "An Axolotl config trains an adapter.")
AXOLOTL_COLUMNS = Rule(
    "FT-610",
    "The format of an Axolotl config is among the configs of type axolotl_dataset_formats, and the "
    "dataset has its columns.",
)
AXOLOTL_DECIDES = Rule("FT-611", "Settings that belong in the Axolotl config are set only there.")
AXOLOTL_SETTINGS = Rule(
    "FT-612", "An Axolotl config has only settings that Axolotl knows, with values that it takes."
)
CONSISTENT = Rule("FT-620", "Settings of a training do not contradict each other.")
HARDWARE = Rule("FT-622", "No setting needs hardware that the job does not have.")
LOSS_OF_PROMPT = Rule("FT-621", "The prompt's templates fit what the settings train on.")
KEPT = Rule(
    "FT-897",
    "An older checkpoint is kept in addition to the newest one, so that a job can resume from it.",
)
OVERRULED = Rule(
    "FT-132",
    "A setting of a training is given once: in a field of the request, or in its config.",
)
