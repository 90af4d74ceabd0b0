"""The rules about datasets."""

from chassis.rpc.rules import Rule

FILE_SUFFIX = Rule("FT-101", "A file's name ends in one of the suffixes of its dataset type.")
READABLE = Rule(
    "FT-102",
    "Data can be read: it is not empty, each column has a name of its own, and the first rows fit "
    "the columns.",
)
ON_HUB = Rule("FT-103", "A hub name is the name of a dataset on the hub.")
ROLES = Rule(
    "FT-121",
    "A role of a conversation is mapped to system, developer, user, assistant, tool, or to itself.",
)
HUB_READABLE = Rule("FT-104", "The hub's description of a dataset can be read.")
HUB_COLUMNS = Rule(
    "FT-150",
    "The columns of a hub dataset are named by its dataset card or by the hub's viewer, or can be"
    " read from the beginning of its first file.",
)
