# The examples of docs/api.md, one after the other as a test runs them. What stands between two
# lines `# --- <RPC>` is the example of that RPC. `client`, `project` (the project directory) and
# everything of `ft.api` are there.
# ruff: noqa: F821

# --- AddDataset
dataset = client.AddDataset(
    AddDatasetRequest(type=DatasetType.PROJECT, name="intents", location="starter/intents")
).dataset
print(dataset.id, dataset.features)

# --- ListDatasets
page = client.ListDatasets(
    ListDatasetsRequest(page_size=10, filter={"type": "project"}, order_by="created_at desc")
)
for one in page.datasets:
    print(one.id, one.name)

# --- GetDataset
dataset = client.GetDataset(GetDatasetRequest(id=dataset.id)).dataset

# --- AddModel
model = client.AddModel(
    AddModelRequest(type=ModelType.PROJECT, name="starter", location="starter/model")
).model

# --- ListModels
models = client.ListModels(ListModelsRequest()).models

# --- GetModel
model = client.GetModel(GetModelRequest(id=model.id)).model

# --- AddPrompt
prompt = client.AddPrompt(
    AddPromptRequest(
        prompt=PromptMetadata(
            id="my-prompt",
            type=PromptType.IN_PLACE,
            name="intents",
            dataset_id=dataset.id,
            prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
            input_template="### CUSTOMER: {customer}\n### ACTION:",
            completion_template=" {action}",
        )
    )
).prompt

# --- ListPrompts
prompts = client.ListPrompts(ListPromptsRequest(filter={"dataset_id": dataset.id})).prompts

# --- GetPrompt
prompt = client.GetPrompt(GetPromptRequest(id="my-prompt")).prompt

# --- AddConfig
config = client.AddConfig(
    AddConfigRequest(type=ConfigType.LORA_CONFIG, config='{"r": 8, "lora_alpha": 16}')
).config
# One that says the same is stored once.
again = client.AddConfig(
    AddConfigRequest(type=ConfigType.LORA_CONFIG, config='{"lora_alpha": 16.0, "r": 8}')
).config
assert again.id == config.id

# --- ListConfigs
shipped = client.ListConfigs(
    ListConfigsRequest(type=ConfigType.GENERATION_CONFIG, model_id=model.id)
).configs

# --- GetConfig
config = client.GetConfig(GetConfigRequest(id=config.id)).config

# --- ValidateFineTuningJob
request = StartFineTuningJobRequest(
    adapter_name="my-adapter",
    base_model_id=model.id,
    dataset_id=dataset.id,
    prompt_id=prompt.id,
    cpu=1,
    memory=2,
    dataset_fraction=0.02,
    learning_rate=2e-3,
    lora_config=config.config,
    training_arguments_config='{"per_device_train_batch_size": 8, "report_to": "none"}',
    auto_add_adapter=True,
)
report = client.ValidateFineTuningJob(ValidateFineTuningJobRequest(request=request))
for finding in report.findings:
    print(finding.severity, finding.field, finding.description)
assert report.valid

# --- StartFineTuningJob
job = client.StartFineTuningJob(request).fine_tuning_job
print(job.id, job.status.state)

# --- GetFineTuningJob
import time

while not JobState(job.status.state).ended:
    time.sleep(0.2)
    job = client.GetFineTuningJob(GetFineTuningJobRequest(id=job.id)).fine_tuning_job
assert job.status.state == JobState.SUCCEEDED, job.status.failure_reason

# --- GetJobCapacity
there = client.GetJobCapacity(GetJobCapacityRequest())
print(there.cpu if there.HasField("cpu") else "nobody states how many CPUs a job can get")

# --- WatchJob
# From the beginning, and until the job has ended; `cursor` goes on behind an event that is known.
for answer in client.WatchJob(WatchJobRequest(job_id=job.id)):
    if answer.HasField("event"):
        print(answer.event.kind, answer.event.state, answer.event.step, answer.event.loss)

# --- ListJobEvents
events = client.ListJobEvents(ListJobEventsRequest(job_id=job.id)).events
assert [event.state for event in events if event.kind == "STATE"][-1] == "SUCCEEDED"

# --- ReportJobEvents
# Jobs call it. Nobody else has a token, and a job that has ended has none that is good.
from ft.client import UnauthenticatedError

try:
    client.ReportJobEvents(ReportJobEventsRequest(job_id=job.id, token="none"))
except UnauthenticatedError as error:
    print(error.code, error)

# --- CancelFineTuningJob
request.adapter_name = "another"
request.request_id = "7f9e7a3e-3a38-4a52-9c64-5a2f2e1c0a11"
endless = client.StartFineTuningJob(request).fine_tuning_job
# The same request again is not another job.
assert client.StartFineTuningJob(request).fine_tuning_job.id == endless.id
cancelled = client.CancelFineTuningJob(
    CancelFineTuningJobRequest(id=endless.id, reason="no longer wanted")
).fine_tuning_job
cancelled = client.wait_for_job(cancelled.id, raise_on_failure=False)
assert cancelled.status.state == JobState.STOPPED

# --- ResumeFineTuningJob
resumed = client.ResumeFineTuningJob(ResumeFineTuningJobRequest(id=endless.id)).fine_tuning_job
assert resumed.status.attempt == 2
client.CancelFineTuningJob(CancelFineTuningJobRequest(id=endless.id))

# --- ListFineTuningJobs
jobs = client.ListFineTuningJobs(ListFineTuningJobsRequest(filter={"base_model_id": model.id}))

# --- TailLogs
for part in client.TailLogs(TailLogsRequest(job_id=job.id)):
    print(part.data.decode(errors="replace"), end="")

# --- ListAdapters
adapters = client.ListAdapters(ListAdaptersRequest()).adapters

# --- GetAdapter
adapter = client.GetAdapter(GetAdapterRequest(id=job.adapter_id)).adapter

# --- AddAdapter
copied = client.AddAdapter(
    AddAdapterRequest(
        type=AdapterType.PROJECT,
        name="the-same-files",
        model_id=model.id,
        location=adapter.location,
        prompt_id=prompt.id,
    )
).adapter

# --- GetDatasetSplitByAdapter
split = client.GetDatasetSplitByAdapter(
    GetDatasetSplitByAdapterRequest(adapter_id=adapter.id)
).response
print(split.dataset_fraction, split.train_test_split)

# --- ValidateEvaluationJob
evaluation = StartEvaluationJobRequest(
    type=EvaluationJobType.MLFLOW,
    model_adapter_combinations=[
        EvaluationJobModelCombination(base_model_id=model.id, adapter_id=adapter.id)
    ],
    dataset_id=dataset.id,
    prompt_id=prompt.id,
    cpu=1,
    memory=2,
    generation_config='{"do_sample": false, "max_new_tokens": 8}',
    eval_dataset_fraction=1.0,
)
report = client.ValidateEvaluationJob(ValidateEvaluationJobRequest(request=evaluation))
assert report.valid, report.findings

# --- StartEvaluationJob
scoring = client.StartEvaluationJob(evaluation).evaluation_job

# --- GetEvaluationJob
while not JobState(scoring.status.state).ended:
    time.sleep(0.2)
    scoring = client.GetEvaluationJob(GetEvaluationJobRequest(id=scoring.id)).evaluation_job
print(dict(scoring.metrics), scoring.rows)

# --- StreamEvaluationRows
for part in client.StreamEvaluationRows(StreamEvaluationRowsRequest(job_id=scoring.id)):
    for row in part.rows:
        print(row.number, row.expected, row.output, row.scores["rougeL"])

# --- CancelEvaluationJob
client.CancelEvaluationJob(CancelEvaluationJobRequest(id=scoring.id))  # has ended: stays so

# --- ListEvaluationJobs
scorings = client.ListEvaluationJobs(ListEvaluationJobsRequest()).evaluation_jobs

# --- ExportModel
# A job does it: `model_registry` logs base and adapter to MLflow, `merged` makes one directory.
export_id = client.ExportModel(
    ExportModelRequest(
        type=ExportType.MERGED,
        base_model_id=model.id,
        adapter_id=adapter.id,
        model_name="intents-merged",
        job_cpu=1,
        job_memory=2,
    )
).export_job_id

# --- GetExportJob
client.wait_for_job(export_id)
export = client.GetExportJob(GetExportJobRequest(id=export_id)).export_job
merged = client.GetModel(GetModelRequest(id=export.model_id)).model
assert (project / merged.location / "model.safetensors").exists()

# --- ListExportJobs
exports = client.ListExportJobs(ListExportJobsRequest(filter={"adapter_id": adapter.id}))

# --- CancelExportJob
client.CancelExportJob(CancelExportJobRequest(id=export_id))  # has ended: stays so

# --- RegisterExport
# Jobs call it, as they do ReportJobEvents.
try:
    client.RegisterExport(RegisterExportRequest(job_id=export_id, token="none"))
except UnauthenticatedError as error:
    print(error.code, error)

# --- ExportDatabase
exported = client.ExportDatabase(ExportDatabaseRequest()).exported_json
(project / "export.json").write_text(exported)

# --- ImportDatabase
report = client.ImportDatabase(
    ImportDatabaseRequest(imported_json_path="export.json", dry_run=True)
)
for table in report.tables:
    print(table.table, len(table.taken), len(table.identical), len(table.refused))

# --- StreamExport
document = b"".join(part.data for part in client.StreamExport(StreamExportRequest()))

# --- ImportDocument
report = client.ImportDocument(ImportDocumentRequest(exported_json=document.decode()))

# --- RemoveExportJob
client.RemoveExportJob(RemoveExportJobRequest(id=export_id))  # its model stays

# --- RemoveEvaluationJob
client.RemoveEvaluationJob(RemoveEvaluationJobRequest(id=scoring.id))

# --- RemoveFineTuningJob
client.RemoveFineTuningJob(RemoveFineTuningJobRequest(id=job.id))

# --- RemoveAdapter
client.RemoveAdapter(RemoveAdapterRequest(id=copied.id))

# --- RemoveConfig
client.RemoveConfig(RemoveConfigRequest(id=config.id))

# --- RemovePrompt
client.RemovePrompt(RemovePromptRequest(id=prompt.id))

# --- RemoveModel
client.RemoveModel(RemoveModelRequest(id=model.id))

# --- RemoveDataset
client.RemoveDataset(RemoveDatasetRequest(id=dataset.id, remove_prompts=True))
