CREATE TABLE evaluation_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE evaluation_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE evaluation_job_events (
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
CREATE TABLE evaluation_jobs (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	cml_job_id VARCHAR, 
	parent_job_id VARCHAR, 
	base_model_id VARCHAR, 
	dataset_id VARCHAR, 
	prompt_id VARCHAR, 
	num_workers INTEGER, 
	adapter_id VARCHAR, 
	num_cpu INTEGER, 
	num_gpu INTEGER, 
	num_memory INTEGER, 
	evaluation_dir VARCHAR, 
	model_bnb_config_id VARCHAR, 
	adapter_bnb_config_id VARCHAR, 
	generation_config_id VARCHAR, 
	model_bnb_config VARCHAR, 
	adapter_bnb_config VARCHAR, 
	generation_config VARCHAR, 
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
	metrics VARCHAR, 
	rows INTEGER, 
	samples VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, attempt INTEGER, spec VARCHAR, sent_at DATETIME, request_id VARCHAR, request_digest VARCHAR, failure_kind VARCHAR, retry VARCHAR, token_hash VARCHAR, reported_offset BIGINT, not_before DATETIME, waits_for VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE evaluation_lease (
	id VARCHAR NOT NULL, 
	holder VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE evaluation_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT evaluation_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "evaluation_revision" VALUES('0009');
CREATE INDEX "list_evaluation_jobs_adapter_id" ON "evaluation_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_adapter_id_down" ON "evaluation_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_base_model_id" ON "evaluation_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_base_model_id_down" ON "evaluation_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_cml_job_id" ON "evaluation_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_cml_job_id_down" ON "evaluation_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_created_at" ON "evaluation_jobs" (created_at, seq);
CREATE INDEX "list_evaluation_jobs_created_at_down" ON "evaluation_jobs" (created_at DESC, seq);
CREATE INDEX "list_evaluation_jobs_dataset_id" ON "evaluation_jobs" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_dataset_id_down" ON "evaluation_jobs" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_id" ON "evaluation_jobs" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_parent_job_id" ON "evaluation_jobs" ((substr(coalesce("parent_job_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_parent_job_id_down" ON "evaluation_jobs" ((substr(coalesce("parent_job_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_prompt_id" ON "evaluation_jobs" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_prompt_id_down" ON "evaluation_jobs" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_state" ON "evaluation_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_state_down" ON "evaluation_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_type" ON "evaluation_jobs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_evaluation_jobs_type_down" ON "evaluation_jobs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_evaluation_jobs_updated_at" ON "evaluation_jobs" (updated_at, seq);
CREATE INDEX "list_evaluation_jobs_updated_at_down" ON "evaluation_jobs" (updated_at DESC, seq);
CREATE INDEX ix_evaluation_import_rows_import_id ON evaluation_import_rows (import_id);
CREATE INDEX ix_evaluation_import_rows_row_id ON evaluation_import_rows (row_id);
CREATE INDEX ix_evaluation_job_events_job_id_seq ON evaluation_job_events (job_id, seq);
CREATE INDEX ix_evaluation_job_events_removed ON evaluation_job_events (seq) WHERE kind = 'REMOVED';
CREATE INDEX ix_evaluation_jobs_parent_job_id ON evaluation_jobs (parent_job_id);
CREATE INDEX ix_evaluation_jobs_request_id ON evaluation_jobs (request_id);
CREATE INDEX ix_evaluation_jobs_state ON evaluation_jobs (state);
CREATE INDEX ix_evaluation_jobs_unsettled ON evaluation_jobs (seq) WHERE sent_at IS NOT NULL;
