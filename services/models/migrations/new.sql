CREATE TABLE export_job_events (
	id VARCHAR NOT NULL, 
	job_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	state VARCHAR, 
	cause VARCHAR, 
	actor VARCHAR, 
	progress VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE export_jobs (
	id VARCHAR NOT NULL, 
	cml_job_id VARCHAR, 
	type VARCHAR NOT NULL, 
	base_model_id VARCHAR NOT NULL, 
	adapter_id VARCHAR NOT NULL, 
	model_name VARCHAR NOT NULL, 
	model_description VARCHAR NOT NULL, 
	artifact_location VARCHAR NOT NULL, 
	generation_config VARCHAR NOT NULL, 
	location VARCHAR NOT NULL, 
	num_cpu INTEGER NOT NULL, 
	num_gpu INTEGER NOT NULL, 
	num_memory INTEGER NOT NULL, 
	model_id VARCHAR, 
	cml_registered_model_id VARCHAR, 
	mlflow_experiment_id VARCHAR, 
	mlflow_run_id VARCHAR, 
	state VARCHAR NOT NULL, 
	run_id VARCHAR, 
	started_at DATETIME, 
	finished_at DATETIME, 
	step INTEGER, 
	total_steps INTEGER, 
	epoch FLOAT, 
	loss FLOAT, 
	eval_loss FLOAT, 
	tokens_per_second FLOAT, 
	seconds_left FLOAT, 
	failure_reason VARCHAR, 
	notices VARCHAR, 
	attempt INTEGER, 
	spec VARCHAR, 
	sent_at DATETIME, 
	request_id VARCHAR, 
	request_digest VARCHAR, 
	token_hash VARCHAR, 
	reported_offset BIGINT, 
	failure_kind VARCHAR, 
	retry VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, not_before DATETIME, waits_for VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE export_lease (
	id VARCHAR NOT NULL, 
	holder VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE models (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	framework VARCHAR, 
	name VARCHAR, 
	description VARCHAR, 
	huggingface_model_name VARCHAR, 
	location VARCHAR, 
	cml_registered_model_id VARCHAR, 
	mlflow_experiment_id VARCHAR, 
	mlflow_run_id VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, "commit" VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE models_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE models_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE models_requests (
	request_id VARCHAR NOT NULL, 
	digest VARCHAR, 
	record_id VARCHAR, noted_at DATETIME, 
	PRIMARY KEY (request_id)
);
CREATE TABLE models_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT models_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "models_revision" VALUES('0010');
CREATE INDEX "list_export_jobs_adapter_id" ON "export_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_adapter_id_down" ON "export_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_base_model_id" ON "export_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_base_model_id_down" ON "export_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_cml_job_id" ON "export_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_cml_job_id_down" ON "export_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_cml_registered_model_id" ON "export_jobs" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_cml_registered_model_id_down" ON "export_jobs" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_created_at" ON "export_jobs" (created_at, seq);
CREATE INDEX "list_export_jobs_created_at_down" ON "export_jobs" (created_at DESC, seq);
CREATE INDEX "list_export_jobs_id" ON "export_jobs" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_mlflow_experiment_id" ON "export_jobs" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_mlflow_experiment_id_down" ON "export_jobs" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_mlflow_run_id" ON "export_jobs" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_mlflow_run_id_down" ON "export_jobs" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_model_id" ON "export_jobs" ((substr(coalesce("model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_model_id_down" ON "export_jobs" ((substr(coalesce("model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_model_name" ON "export_jobs" ((substr(coalesce("model_name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_model_name_down" ON "export_jobs" ((substr(coalesce("model_name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_state" ON "export_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_state_down" ON "export_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_type" ON "export_jobs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_export_jobs_type_down" ON "export_jobs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_export_jobs_updated_at" ON "export_jobs" (updated_at, seq);
CREATE INDEX "list_export_jobs_updated_at_down" ON "export_jobs" (updated_at DESC, seq);
CREATE INDEX "list_models_cml_registered_model_id" ON "models" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_cml_registered_model_id_down" ON "models" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_models_created_at" ON "models" (created_at, seq);
CREATE INDEX "list_models_created_at_down" ON "models" (created_at DESC, seq);
CREATE INDEX "list_models_id" ON "models" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_mlflow_experiment_id" ON "models" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_mlflow_experiment_id_down" ON "models" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_models_mlflow_run_id" ON "models" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_mlflow_run_id_down" ON "models" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_models_name" ON "models" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_name_down" ON "models" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_models_type" ON "models" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_models_type_down" ON "models" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_models_updated_at" ON "models" (updated_at, seq);
CREATE INDEX "list_models_updated_at_down" ON "models" (updated_at DESC, seq);
CREATE INDEX ix_export_job_events_job_id_seq ON export_job_events (job_id, seq);
CREATE INDEX ix_export_job_events_removed ON export_job_events (seq) WHERE kind = 'REMOVED';
CREATE INDEX ix_export_jobs_request_id ON export_jobs (request_id);
CREATE INDEX ix_export_jobs_state ON export_jobs (state);
CREATE INDEX ix_export_jobs_unsettled ON export_jobs (seq) WHERE sent_at IS NOT NULL;
CREATE INDEX ix_models_import_rows_import_id ON models_import_rows (import_id);
CREATE INDEX ix_models_import_rows_row_id ON models_import_rows (row_id);
CREATE INDEX ix_models_name ON models (name);
CREATE INDEX ix_models_requests_noted_at ON models_requests (noted_at);
