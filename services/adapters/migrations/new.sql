CREATE TABLE adapters (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	name VARCHAR, 
	description VARCHAR, 
	huggingface_name VARCHAR, 
	model_id VARCHAR, 
	location VARCHAR, 
	fine_tuning_job_id VARCHAR, 
	prompt_id VARCHAR, 
	cml_registered_model_id VARCHAR, 
	mlflow_experiment_id VARCHAR, 
	mlflow_run_id VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, "commit" VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE adapters_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE adapters_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE adapters_requests (
	request_id VARCHAR NOT NULL, 
	digest VARCHAR, 
	record_id VARCHAR, noted_at DATETIME, 
	PRIMARY KEY (request_id)
);
CREATE TABLE adapters_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT adapters_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "adapters_revision" VALUES('0006');
CREATE INDEX "list_adapters_cml_registered_model_id" ON "adapters" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_cml_registered_model_id_down" ON "adapters" ((substr(coalesce("cml_registered_model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_created_at" ON "adapters" (created_at, seq);
CREATE INDEX "list_adapters_created_at_down" ON "adapters" (created_at DESC, seq);
CREATE INDEX "list_adapters_fine_tuning_job_id" ON "adapters" ((substr(coalesce("fine_tuning_job_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_fine_tuning_job_id_down" ON "adapters" ((substr(coalesce("fine_tuning_job_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_id" ON "adapters" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_mlflow_experiment_id" ON "adapters" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_mlflow_experiment_id_down" ON "adapters" ((substr(coalesce("mlflow_experiment_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_mlflow_run_id" ON "adapters" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_mlflow_run_id_down" ON "adapters" ((substr(coalesce("mlflow_run_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_model_id" ON "adapters" ((substr(coalesce("model_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_model_id_down" ON "adapters" ((substr(coalesce("model_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_name" ON "adapters" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_name_down" ON "adapters" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_prompt_id" ON "adapters" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_prompt_id_down" ON "adapters" ((substr(coalesce("prompt_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_type" ON "adapters" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_adapters_type_down" ON "adapters" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_adapters_updated_at" ON "adapters" (updated_at, seq);
CREATE INDEX "list_adapters_updated_at_down" ON "adapters" (updated_at DESC, seq);
CREATE INDEX ix_adapters_import_rows_import_id ON adapters_import_rows (import_id);
CREATE INDEX ix_adapters_import_rows_row_id ON adapters_import_rows (row_id);
CREATE INDEX ix_adapters_name ON adapters (name);
CREATE INDEX ix_adapters_requests_noted_at ON adapters_requests (noted_at);
