"""The rules about datasets."""

from chassis.rules import Rule

FILE_SUFFIX = Rule("FT-101", "A file's name ends in one of the suffixes of its dataset type.")
READABLE = Rule(
    "FT-102",
    "Data can be read: it is not empty, its columns have names, each once, and its first rows "
    "agree in them.",
)
ON_HUB = Rule("FT-103", "A hub name is that of a dataset on the hub.")
ROLES = Rule(
    "FT-121",
    "A role of conversations stands for system, developer, user, assistant, tool, or itself.",
)
HUB_READABLE = Rule("FT-104", "What the hub says of a dataset can be read.")
HUB_COLUMNS = Rule(
    "FT-150",
    "The columns of a dataset of the hub are named by its card or its viewer, or can be read from "
    "the beginning of its first file.",
)
