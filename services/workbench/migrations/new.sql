CREATE TABLE accelerators (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	label_key VARCHAR NOT NULL, 
	label_value VARCHAR NOT NULL, 
	availability BOOLEAN NOT NULL, 
	max_gpu_count INTEGER NOT NULL, 
	max_gpu_per_workload INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	UNIQUE (id)
);
CREATE TABLE job_runs (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	job_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	script VARCHAR NOT NULL, 
	arguments VARCHAR NOT NULL, 
	environment JSON NOT NULL, 
	cpu DOUBLE NOT NULL, 
	memory DOUBLE NOT NULL, 
	nvidia_gpu INTEGER NOT NULL, 
	accelerator_label_id VARCHAR NOT NULL, 
	timeout INTEGER NOT NULL, 
	kill_on_timeout BOOLEAN NOT NULL, 
	kernel VARCHAR NOT NULL, 
	runtime_identifier VARCHAR NOT NULL, 
	attempt INTEGER NOT NULL, 
	gpus JSON NOT NULL, 
	exit_code INTEGER, 
	created_at DATETIME NOT NULL, 
	scheduling_at DATETIME NOT NULL, 
	starting_at DATETIME, 
	running_at DATETIME, 
	finished_at DATETIME, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (id)
);
CREATE TABLE jobs (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	script VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	kernel VARCHAR NOT NULL, 
	arguments VARCHAR NOT NULL, 
	environment JSON NOT NULL, 
	cpu DOUBLE NOT NULL, 
	memory DOUBLE NOT NULL, 
	nvidia_gpu INTEGER NOT NULL, 
	accelerator_label_id VARCHAR NOT NULL, 
	timeout INTEGER NOT NULL, 
	kill_on_timeout BOOLEAN NOT NULL, 
	timezone VARCHAR NOT NULL, 
	paused BOOLEAN NOT NULL, 
	run_as INTEGER NOT NULL, 
	runtime_identifier VARCHAR NOT NULL, 
	runtime_addon_identifiers JSON NOT NULL, 
	deleting BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	FOREIGN KEY(project_id) REFERENCES projects (id), 
	UNIQUE (id)
);
CREATE TABLE model_builds (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	comment VARCHAR NOT NULL, 
	file_path VARCHAR NOT NULL, 
	function_name VARCHAR NOT NULL, 
	kernel VARCHAR NOT NULL, 
	runtime_identifier VARCHAR NOT NULL, 
	runtime_addon_identifiers JSON NOT NULL, 
	registered_model_version_id VARCHAR NOT NULL, 
	built_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, fault VARCHAR DEFAULT '' NOT NULL, 
	FOREIGN KEY(model_id) REFERENCES models (id) ON DELETE CASCADE, 
	UNIQUE (id)
);
CREATE TABLE model_deployments (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	build_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	cpu DOUBLE NOT NULL, 
	memory DOUBLE NOT NULL, 
	nvidia_gpu INTEGER NOT NULL, 
	environment JSON NOT NULL, 
	replicas INTEGER NOT NULL, 
	stopped_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, attempt INTEGER DEFAULT '0' NOT NULL, deaths INTEGER DEFAULT '0' NOT NULL, retry_at DATETIME, gpus JSON DEFAULT '[]' NOT NULL, 
	FOREIGN KEY(build_id) REFERENCES model_builds (id) ON DELETE CASCADE, 
	UNIQUE (id)
);
CREATE TABLE models (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	auth_enabled BOOLEAN NOT NULL, 
	registered_model_id VARCHAR NOT NULL, 
	visibility VARCHAR NOT NULL, 
	access_key VARCHAR NOT NULL, 
	run_as INTEGER NOT NULL, 
	accelerator_label_id VARCHAR NOT NULL, 
	cpu DOUBLE NOT NULL, 
	memory DOUBLE NOT NULL, 
	nvidia_gpus INTEGER NOT NULL, 
	replicas INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	FOREIGN KEY(project_id) REFERENCES projects (id), 
	UNIQUE (id)
);
CREATE TABLE projects (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	visibility VARCHAR NOT NULL, 
	default_engine_type VARCHAR NOT NULL, 
	creation_status VARCHAR NOT NULL, 
	shared_memory_limit INTEGER NOT NULL, 
	ephemeral_storage_request INTEGER NOT NULL, 
	ephemeral_storage_limit INTEGER NOT NULL, 
	environment JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	UNIQUE (id)
);
CREATE TABLE registered_model_versions (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	project_id VARCHAR NOT NULL, 
	experiment_id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	model_path VARCHAR NOT NULL, 
	notes VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	tags JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	FOREIGN KEY(model_id) REFERENCES registered_models (id) ON DELETE CASCADE, 
	UNIQUE (id)
);
CREATE TABLE registered_models (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	visibility VARCHAR NOT NULL, 
	last_number INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	UNIQUE (id), 
	UNIQUE (name)
);
CREATE TABLE runtimes (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	image_identifier VARCHAR NOT NULL, 
	editor VARCHAR NOT NULL, 
	kernel VARCHAR NOT NULL, 
	edition VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	full_version VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	UNIQUE (id)
);
CREATE TABLE workbench_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT workbench_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "workbench_revision" VALUES('0003');
DELETE FROM "sqlite_sequence";
CREATE INDEX ix_job_runs_job_id ON job_runs (job_id);
CREATE INDEX ix_jobs_name ON jobs (name);
CREATE INDEX ix_jobs_project_id ON jobs (project_id);
CREATE INDEX ix_model_builds_model_id ON model_builds (model_id);
CREATE INDEX ix_model_deployments_build_id ON model_deployments (build_id);
CREATE INDEX ix_models_project_id ON models (project_id);
CREATE INDEX ix_registered_model_versions_model_id ON registered_model_versions (model_id);
CREATE INDEX job_runs_job_id_created_at ON job_runs (job_id, created_at);
CREATE INDEX job_runs_job_id_status ON job_runs (job_id, status);
CREATE INDEX job_runs_status_seq ON job_runs (status, seq);
CREATE INDEX jobs_deleting ON jobs (seq) WHERE deleting = 1;
CREATE INDEX jobs_project_id_created_at ON jobs (project_id, created_at);
CREATE INDEX jobs_project_id_kernel ON jobs (project_id, kernel);
CREATE INDEX jobs_project_id_name ON jobs (project_id, name);
CREATE INDEX jobs_project_id_paused ON jobs (project_id, paused);
CREATE INDEX jobs_project_id_script ON jobs (project_id, script);
CREATE INDEX jobs_project_id_type ON jobs (project_id, type);
CREATE INDEX jobs_project_id_updated_at ON jobs (project_id, updated_at);
