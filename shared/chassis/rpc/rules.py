"""The rules about every request.

A rule has an id that programs and people can rely on.

Every domain has a `rules.py` with its own rules. This module has those that apply to all domains.
`docs/rules.md` is generated from them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. The id never changes its meaning and is never given to another rule."""

    id: str
    """`FT-` and three digits, of which the first shows the domain."""
    text: str
    """The condition, in one or two sentences."""


REQUIRED = Rule("FT-001", "A required field is set and not blank.")
WELL_FORMED = Rule("FT-002", "The request is a message of its type, and its texts are UTF-8.")
NO_NUL = Rule("FT-003", "A text has no NUL character in it.")
TEXT_LENGTH = Rule(
    "FT-004",
    "A text has at most 65,536 characters, an id that the client chooses 256, a name 2,048 bytes.",
)
KNOWN_VALUE = Rule("FT-005", "A field with a fixed set of values has one of them.")
JSON_OBJECT = Rule("FT-006", "A config in JSON is one object.")
IS_PATH = Rule("FT-007", "A location is a path that the file system takes.")
CONFINED = Rule(
    "FT-008",
    "A location lies within the project directory or a configured extra root, symlinks followed.",
)
FILE_EXISTS = Rule("FT-009", "A location of a file names an existing regular file.")
DIRECTORY_EXISTS = Rule("FT-010", "A location of a directory names an existing directory.")
EXISTS = Rule("FT-011", "What is asked for by its id exists.")
REFERENCE_EXISTS = Rule("FT-012", "What a request refers to exists.")
UNIQUE = Rule("FT-013", "An id, or a name that must be unique, is not taken.")
PAGE_SIZE = Rule("FT-014", "A page size is not negative.")
PAGE_TOKEN = Rule("FT-015", "A page token comes from the same list with the same filter and order.")
FILTER_FIELD = Rule("FT-016", "A filter names fields that the list has, with values of their type.")
ORDER_FIELD = Rule("FT-017", "An order names fields that the list has, each `asc` or `desc`.")
SAME_REQUEST = Rule("FT-018", "All requests with the same request id have the same content.")

PLAIN_NAME = Rule(
    "FT-120",
    "A name, an id or a location from a client contains no control characters, line breaks, text "
    "direction overrides or other invisible characters.",
)

WRITABLE = Rule(
    "FT-130", "If a job writes its output to the project directory, that directory is writable."
)

EXPORT_FILE = Rule("FT-901", "An import is a JSON object of tables, each with a list of rows.")
ROW_ID = Rule("FT-902", "A row has an id, a text that is not empty, and no two rows share it.")
COLUMN_VALUE = Rule("FT-903", "A value has the type of its column and fits into it.")
JOB_ROW = Rule("FT-904", "A job's row has a known state, and an id that can name a folder.")
SAME_CONTENT = Rule(
    "FT-905", "A row whose id already exists has the same content as the existing row."
)
REPLACEABLE = Rule(
    "FT-030",
    "A row replaces an existing row only if this studio exported it and no other studio has "
    "changed it since.",
)
OWN_TABLE = Rule(
    "FT-031",
    "A row of a table `fts_...` has the form in which this studio exported it, with a JSON object"
    " in `extra_json`.",
)
EVENT_ROW = Rule(
    "FT-032", "An event of a job has a kind that clients can see, and a report that fits its kind."
)
