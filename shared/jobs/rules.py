"""The rules about jobs of every kind."""

from chassis.rpc.rules import Rule

CARRIED = Rule(
    "FT-801",
    "A value that becomes an argument of a job contains no blank and does not begin with a hyphen.",
)
RESOURCES = Rule("FT-802", "CPU cores, memory and workers are above 0.")
GPUS = Rule("FT-803", "The number of GPUs is not negative.")
SHARE = Rule("FT-804", "A share of rows is above 0 and at most 1.")
OFFSET = Rule("FT-805", "An offset, a cursor, or a number of events is not negative.")
KNOWN_SETTING = Rule("FT-806", "A config has only settings that the library it is for knows.")
SETTING_VALUE = Rule("FT-807", "A setting has a value of a kind that its library takes.")
SHIPPED = Rule("FT-808", "If a request lacks a config that a job needs, the studio ships one.")
TEMPLATE = Rule("FT-809", "The workspace has the template job that jobs are made from.")
OWN_SCRIPT = Rule("FT-810", "Rows, memory and time are checked for the studio's own script only.")
RESUMABLE = Rule("FT-811", "A job that is resumed was started here and has ended without success.")
ATTEMPTS = Rule("FT-813", "A job is attempted from 1 to 10 times.")
RETRIED = Rule(
    "FT-814",
    "A job is retried automatically only after CRASHED, ERROR, LOST or TIMED_OUT. Out of memory, "
    "or an error in the request, would only happen again.",
)
NO_EFFECT = Rule(
    "FT-816",
    "Each setting has an effect, and no job replaces it. A notice reports one that has no effect "
    "or is replaced.",
)
CONSISTENT = Rule("FT-817", "Settings of a config do not contradict each other.")
REPORT_SIZE = Rule("FT-815", "A report of a job has at most 256 KiB.")
GRANTED = Rule(
    "FT-820", "A job requests no more CPUs, memory and GPUs than one job can get where it runs."
)
LABEL = Rule("FT-821", "An accelerator label exists where the job runs.")
SHARED = Rule(
    "FT-827", "The workers of a job do not share CPUs and memory. A notice reports it if they do."
)
TRAINER = Rule(
    "FT-822",
    "A job that runs the studio's own script runs where the trainer is installed and works.",
)
