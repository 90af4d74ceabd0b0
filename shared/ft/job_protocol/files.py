"""Names of files and folders that one side writes and another side reads."""

EVENTS_FILE = "events.jsonl"
"""In a job's folder: the events of all its attempts, one JSON object a line, see `events`."""
LOG_FILE = "job.log"
"""In a job's folder: a copy of everything that the job has printed."""
MERGED_FOLDER = "model"
"""In the folder of an export job: the merged model."""
MANIFEST_FILE = "manifest.json"
"""In an adapter's folder: data, settings, versions and hashes of its training."""
TEMPLATE_FILE = "chat_template.jinja"
"""In the folder of a tokenizer, a model or an adapter: its chat template."""
ANSWERS_FILE = "parity.json"
"""In an adapter's folder: its prompt, and answers that every process that serves it checks."""


def claim_file(attempt: int) -> str:
    """Name of the file in a job's folder that names the run which works on an attempt.

    The file is one JSON object with the run's id as `run`.
    """
    return f"claim-{attempt}.json"


CLAIM_RUN = "run"
"""Key of the run's id in a claim file."""
