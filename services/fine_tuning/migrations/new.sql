CREATE TABLE fine_tuning_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE fine_tuning_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE fine_tuning_job_events (
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
CREATE TABLE fine_tuning_jobs (
	id VARCHAR NOT NULL, 
	base_model_id VARCHAR, 
	dataset_id VARCHAR, 
	prompt_id VARCHAR, 
	num_workers INTEGER, 
	cml_job_id VARCHAR, 
	adapter_id VARCHAR, 
	num_cpu INTEGER, 
	num_gpu INTEGER, 
	num_memory INTEGER, 
	num_epochs INTEGER, 
	learning_rate FLOAT, 
	out_dir VARCHAR, 
	training_arguments_config_id VARCHAR, 
	model_bnb_config_id VARCHAR, 
	adapter_bnb_config_id VARCHAR, 
	lora_config_id VARCHAR, 
	training_arguments_config VARCHAR, 
	model_bnb_config VARCHAR, 
	adapter_bnb_config VARCHAR, 
	lora_config VARCHAR, 
	dataset_fraction FLOAT, 
	train_test_split FLOAT, 
	user_script VARCHAR, 
	user_config_id VARCHAR, 
	framework_type VARCHAR, 
	axolotl_config_id VARCHAR, 
	gpu_label_id INTEGER, 
	adapter_name VARCHAR, 
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
	user_config VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, attempt INTEGER, spec VARCHAR, sent_at DATETIME, request_id VARCHAR, request_digest VARCHAR, failure_kind VARCHAR, retry VARCHAR, token_hash VARCHAR, reported_offset BIGINT, not_before DATETIME, manifest VARCHAR, waits_for VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE fine_tuning_lease (
	id VARCHAR NOT NULL, 
	holder VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE fine_tuning_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT fine_tuning_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "fine_tuning_revision" VALUES('0010');
CREATE INDEX "list_fine_tuning_jobs_adapter_id" ON "fine_tuning_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_adapter_id_down" ON "fine_tuning_jobs" ((substr(coalesce("adapter_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_adapter_name" ON "fine_tuning_jobs" ((substr(coalesce("adapter_name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_adapter_name_down" ON "fine_tuning_jobs" ((substr(coalesce("adapter_name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_axolotl_config_id" ON "fine_tuning_jobs" ((substr(coalesce("axolotl_config_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_axolotl_config_id_down" ON "fine_tuning_jobs" ((substr(coalesce("axolotl_config_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_base_model_id" ON "fine_tuning_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_base_model_id_down" ON "fine_tuning_jobs" ((substr(coalesce("base_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_cml_job_id" ON "fine_tuning_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_cml_job_id_down" ON "fine_tuning_jobs" ((substr(coalesce("cml_job_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_created_at" ON "fine_tuning_jobs" (created_at, seq);
CREATE INDEX "list_fine_tuning_jobs_created_at_down" ON "fine_tuning_jobs" (created_at DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_dataset_id" ON "fine_tuning_jobs" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_dataset_id_down" ON "fine_tuning_jobs" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_id" ON "fine_tuning_jobs" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_prompt_id" ON "fine_tuning_jobs" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_prompt_id_down" ON "fine_tuning_jobs" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_state" ON "fine_tuning_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_state_down" ON "fine_tuning_jobs" ((substr(coalesce("state", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_updated_at" ON "fine_tuning_jobs" (updated_at, seq);
CREATE INDEX "list_fine_tuning_jobs_updated_at_down" ON "fine_tuning_jobs" (updated_at DESC, seq);
CREATE INDEX "list_fine_tuning_jobs_user_config_id" ON "fine_tuning_jobs" ((substr(coalesce("user_config_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_fine_tuning_jobs_user_config_id_down" ON "fine_tuning_jobs" ((substr(coalesce("user_config_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX ix_fine_tuning_import_rows_import_id ON fine_tuning_import_rows (import_id);
CREATE INDEX ix_fine_tuning_import_rows_row_id ON fine_tuning_import_rows (row_id);
CREATE INDEX ix_fine_tuning_job_events_job_id_seq ON fine_tuning_job_events (job_id, seq);
CREATE INDEX ix_fine_tuning_job_events_removed ON fine_tuning_job_events (seq) WHERE kind = 'REMOVED';
CREATE INDEX ix_fine_tuning_jobs_adapter_name ON fine_tuning_jobs (adapter_name);
CREATE INDEX ix_fine_tuning_jobs_request_id ON fine_tuning_jobs (request_id);
CREATE INDEX ix_fine_tuning_jobs_state ON fine_tuning_jobs (state);
CREATE INDEX ix_fine_tuning_jobs_unsettled ON fine_tuning_jobs (seq) WHERE sent_at IS NOT NULL;
