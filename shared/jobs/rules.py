"""The rules about jobs of either kind."""

from chassis.rules import Rule

CARRIED = Rule(
    "FT-801",
    "What becomes an argument of a job has no blank in it and does not begin with a hyphen.",
)
RESOURCES = Rule("FT-802", "CPU cores, memory and workers are above 0.")
GPUS = Rule("FT-803", "The number of GPUs is not negative.")
SHARE = Rule("FT-804", "A share of rows is above 0 and at most 1.")
OFFSET = Rule("FT-805", "An offset in a log is not negative.")
