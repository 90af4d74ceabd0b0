"""Names of the environment variables of jobs, template jobs and served models."""

# Variables that the studio gives to a run.

JOB_ARGUMENTS = "JOB_ARGUMENTS"
"""The job's arguments, separated by blanks. The workspace sets it from the job's `arguments`."""
JOB_ID = "FTS_JOB_ID"
"""Id of the studio's record."""
JOB_KIND = "FTS_JOB_KIND"
"""A `reports.JobKind`. Jobs that an older studio has started do not have it."""
JOB_TOKEN = "FTS_JOB_TOKEN"  # noqa: S105 - the variable's name
"""Token that the run's reports are accepted with."""
ATTEMPT = "FTS_ATTEMPT"
"""Number of the attempt at the job, from 1. Not set for the first."""
NUM_WORKERS = "FTS_NUM_WORKERS"
"""Number of workers of a run, itself included. Not set if there is only one."""
JOB_LOG = "FTS_JOB_LOG"
"""Location of the job's log. A local workbench writes there which signal has ended the job: the API
of a workspace has no field for it."""
JOB_TITLE = "FTS_JOB_TITLE"
"""Display name of the job, such as the name of its adapter."""
HUB_TOKEN = "HUGGINGFACE_ACCESS_TOKEN"  # noqa: S105 - the variable's name
"""Token for the Hugging Face hub."""

# Variables that the workspace gives to a run.

STUDIO_IP = "FINE_TUNING_SERVICE_IP"
"""Address of the studio. The facade writes it into the project's environment when it starts."""
STUDIO_PORT = "FINE_TUNING_SERVICE_PORT"
"""Port of the studio, written together with STUDIO_IP."""
API_URL = "CDSW_API_URL"
"""Address of the workspace's API."""
API_KEY = "CDSW_APIV2_KEY"
"""Key for the workspace's API."""
PROJECT_ID = "CDSW_PROJECT_ID"
"""Id of the workspace project."""
RUN_ID = "CDSW_ENGINE_ID"
"""Id of the run. Not set for a script that is run by hand."""
RUN_ADDRESS = "CDSW_IP_ADDRESS"
"""IP address of the run."""

# Variables of a run that has several workers. The run sets them for each worker.

MASTER_ID = "CDSW_MASTER_ID"
"""Id of the run that a worker belongs to. The workspace sets it."""
MASTER_IP = "CML_FTS_JOB_MASTER_IP"
"""Address at which the workers meet."""
MASTER_PORT = "FTS_JOB_MASTER_PORT"
"""Port at which the workers meet."""
NODE_RANK = "CML_FTS_JOB_NODE_RANK"
"""Number of the worker, from 0. A process of the fine-tuning script that has it is a worker."""

# Variables by which a workspace states facts to the studio.

WAITS_FOR = "FTS_WAITS_FOR"
"""Reason why a run has not started. The local workbench shows it in the run's environment, because
the API has no field for it; the run itself does not get it."""
CANNOT_RUN = "cannot run here: "
"""Prefix of WAITS_FOR if even the whole machine could not run the job."""
FRAMEWORKS = "FTS_FRAMEWORKS"
"""Names of the frameworks that jobs made from a template job can train with, separated by commas.
The local workbench sets it, and an administrator of a workspace can."""
CAPACITY = "FTS_CAPACITY"
"""The most resources that a job made from a template job can get: a JSON object with cpu,
memory_gib, gpus, labels (number of GPUs by id of accelerator label) and label_values (GPU model by
id of accelerator label)."""
NO_TRAINER = "FTS_NO_TRAINER"
"""Reason why a template job's own script cannot run; empty if it can."""

# Variables that the studio gives to a served model.

SERVED_BASE = "FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME"
"""Name of the base model on the hub, or its location."""
SERVED_ADAPTER = "FINE_TUNING_STUDIO_ADAPTER_LOCATION"
"""Location of the adapter; empty for the base model alone."""
SERVED_GENERATION = "FINE_TUNING_STUDIO_GEN_CONFIG_STRING"
"""JSON of generation settings that apply where a call gives none."""
