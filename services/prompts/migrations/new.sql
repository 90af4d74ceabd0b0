CREATE TABLE prompts (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	name VARCHAR, 
	description VARCHAR, 
	dataset_id VARCHAR, 
	prompt_template VARCHAR, 
	input_template VARCHAR, 
	completion_template VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE prompts_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE prompts_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE prompts_requests (
	request_id VARCHAR NOT NULL, 
	digest VARCHAR, 
	record_id VARCHAR, noted_at DATETIME, 
	PRIMARY KEY (request_id)
);
CREATE TABLE prompts_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT prompts_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "prompts_revision" VALUES('0005');
CREATE INDEX "list_prompts_created_at" ON "prompts" (created_at, seq);
CREATE INDEX "list_prompts_created_at_down" ON "prompts" (created_at DESC, seq);
CREATE INDEX "list_prompts_dataset_id" ON "prompts" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_prompts_dataset_id_down" ON "prompts" ((substr(coalesce("dataset_id", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_prompts_id" ON "prompts" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_prompts_name" ON "prompts" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_prompts_name_down" ON "prompts" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_prompts_type" ON "prompts" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_prompts_type_down" ON "prompts" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_prompts_updated_at" ON "prompts" (updated_at, seq);
CREATE INDEX "list_prompts_updated_at_down" ON "prompts" (updated_at DESC, seq);
CREATE INDEX ix_prompts_dataset_id ON prompts (dataset_id);
CREATE INDEX ix_prompts_import_rows_import_id ON prompts_import_rows (import_id);
CREATE INDEX ix_prompts_import_rows_row_id ON prompts_import_rows (row_id);
CREATE INDEX ix_prompts_name ON prompts (name);
CREATE INDEX ix_prompts_requests_noted_at ON prompts_requests (noted_at);
