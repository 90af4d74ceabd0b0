"""Names by which the studio and its jobs find what the other has left."""

TEMPLATES = ("prompt_template", "input_template", "completion_template")
"""Fields of a prompt that make texts of rows."""
ANSWERS_FILE = "parity.json"
"""Beside an adapter: its prompt, and answers that whoever serves it verifies itself with."""
MERGED_FOLDER = "model"
"""Where in its job's folder a merged model lies."""
NUM_WORKERS = "FTS_NUM_WORKERS"
"""The variable that says how many workers a run has, with itself; not there for one alone."""
JOB_LOG = "FTS_JOB_LOG"
"""The variable with the job's own log, relative to the project directory. A local workbench says
there which signal has ended the job: the API of a workspace has no place for it."""
JOB_TITLE = "FTS_JOB_TITLE"
"""The variable with what people call the job, such as its adapter's name."""
WAITS_FOR = "FTS_WAITS_FOR"
"""Variable in which the local workbench shows the reason why a run waits.

It is in the run's environment as the API shows it, because the API has no field for it. The run
itself does not get it."""
CANNOT_RUN = "cannot run here: "
"""Begins what a run waits for if the whole machine could not grant it."""
