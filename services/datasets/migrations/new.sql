CREATE TABLE datasets (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	name VARCHAR, 
	description VARCHAR, 
	huggingface_name VARCHAR, 
	location VARCHAR, 
	features VARCHAR, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, "commit" VARCHAR, roles VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE TABLE datasets_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE datasets_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE datasets_requests (
	request_id VARCHAR NOT NULL, 
	digest VARCHAR, 
	record_id VARCHAR, noted_at DATETIME, 
	PRIMARY KEY (request_id)
);
CREATE TABLE datasets_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT datasets_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "datasets_revision" VALUES('0007');
CREATE INDEX "list_datasets_created_at" ON "datasets" (created_at, seq);
CREATE INDEX "list_datasets_created_at_down" ON "datasets" (created_at DESC, seq);
CREATE INDEX "list_datasets_id" ON "datasets" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_datasets_name" ON "datasets" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_datasets_name_down" ON "datasets" ((substr(coalesce("name", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_datasets_type" ON "datasets" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_datasets_type_down" ON "datasets" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_datasets_updated_at" ON "datasets" (updated_at, seq);
CREATE INDEX "list_datasets_updated_at_down" ON "datasets" (updated_at DESC, seq);
CREATE INDEX ix_datasets_import_rows_import_id ON datasets_import_rows (import_id);
CREATE INDEX ix_datasets_import_rows_row_id ON datasets_import_rows (row_id);
CREATE INDEX ix_datasets_name ON datasets (name);
CREATE INDEX ix_datasets_requests_noted_at ON datasets_requests (noted_at);
