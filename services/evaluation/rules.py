"""The rules about evaluation jobs."""

from chassis.rpc.rules import Rule

COMBINATIONS = Rule("FT-701", "An evaluation names at least one model.")
FEATURES = Rule("FT-702", "The features to show next to the scores are columns of the dataset.")
RESULTS = Rule(
    "FT-703",
    "The rows of an evaluation can be read if it has a table of results, in which each row has at "
    "most a million characters.",
)
