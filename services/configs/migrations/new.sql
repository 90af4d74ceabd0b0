CREATE TABLE configs (
	id VARCHAR NOT NULL, 
	type VARCHAR, 
	description VARCHAR, 
	config VARCHAR, 
	model_family VARCHAR, 
	is_default INTEGER, 
	seq INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
INSERT INTO "configs" VALUES('0d11510d-4d7f-5d76-a984-de2b46d7b2d9','lora_config',NULL,'{"bias":"none","lora_alpha":32,"lora_dropout":0.05,"r":16,"task_type":"CAUSAL_LM"}',NULL,1,1,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('cfb5d4aa-c718-5793-88f2-a52de3307209','bitsandbytes_config',NULL,'{"bnb_4bit_compute_dtype":"float16","bnb_4bit_quant_type":"nf4","bnb_4bit_use_double_quant":true,"load_in_4bit":true,"quant_method":"bitsandbytes"}',NULL,1,2,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('7acb52ab-d2a5-5b44-913b-fdf20548a26c','training_arguments',NULL,'{"ddp_find_unused_parameters":false,"disable_tqdm":true,"fp16":true,"gradient_accumulation_steps":4,"learning_rate":0.0002,"logging_steps":1,"lr_scheduler_type":"constant","max_grad_norm":0.3,"num_train_epochs":1,"optim":"paged_adamw_32bit","per_device_train_batch_size":1,"report_to":"mlflow","warmup_ratio":0.03}',NULL,1,3,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('e5fba197-a76d-5be7-97fb-ff264341dd48','generation_config',NULL,'{"do_sample":true,"max_new_tokens":60,"num_beams":1,"repetition_penalty":1.1,"temperature":0.8,"top_k":50,"top_p":1}',NULL,1,4,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('282abcee-cfc2-5923-a70f-41cdfe379b1c','axolotl_dataset_formats','alpaca','{"instruction":"...","input":"...","output":"..."}',NULL,1,5,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('4ad26be7-5c0b-5c40-b2d5-fb8e17a0b2bf','axolotl_dataset_formats','jeopardy','{"question":"...","category":"...","answer":"..."}',NULL,1,6,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('ce94a1ea-3885-5e4a-ad37-a22a48cb68d8','axolotl_dataset_formats','oasst','{"INSTRUCTION":"...","RESPONSE":"..."}',NULL,1,7,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('17624109-15ff-579f-bf9d-16dae52089f7','axolotl_dataset_formats','gpteacher','{"instruction":"...","input":"...","response":"..."}',NULL,1,8,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('257d45ac-1c25-51ee-bd65-2a789e518496','axolotl_dataset_formats','reflection','{"instruction":"...","input":"...","output":"...","reflection":"...","corrected":"..."}',NULL,1,9,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('1088ea09-a6e6-55c9-89a3-be8ed40935fb','axolotl_dataset_formats','explainchoice','{"question":"...","choices":"...","solution":"...","explanation":"..."}',NULL,1,10,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('9528e755-98e1-5607-be13-91f51201bcd0','axolotl_dataset_formats','concisechoice','{"question":"...","choices":"...","solution":"...","explanation":"..."}',NULL,1,11,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('daa98534-6f67-51ac-bc99-5d83ed5f8fd2','axolotl_dataset_formats','summarizetldr','{"article":"...","summary":"..."}',NULL,1,12,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('bc3678aa-11f6-5b1e-9e6a-b82bdca854ce','axolotl_dataset_formats','alpaca_chat','{"instruction":"...","input":"...","response":"..."}',NULL,1,13,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('8a0e3ca8-7241-5ea1-80ea-638db306b164','axolotl_dataset_formats','alpaca_chat.load_qa','{"question":"...","answer":"..."}',NULL,1,14,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('4742ed53-fd41-5b87-b46c-eacfb9203da7','axolotl_dataset_formats','alpaca_chat.load_concise','{"instruction":"...","input":"...","response":"..."}',NULL,1,15,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('01eb1530-e233-5fdb-a117-d33095c6bd8f','axolotl_dataset_formats','alpaca_chat.load_camel_ai','{"message_1":"...","message_2":"..."}',NULL,1,16,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('98a27006-d590-5438-b94d-0bad82cfbd69','axolotl_dataset_formats','alpaca_w_system.load_open_orca','{"system_prompt":"...","question":"...","response":"..."}',NULL,1,17,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('4339168a-a67d-5e42-9e19-72a9420ad5be','axolotl_dataset_formats','context_qa','{"article":"...","question":"...","answer":"..."}',NULL,1,18,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('31826421-6906-5caf-b369-558ebaf9e83f','axolotl_dataset_formats','context_qa.load_v2','{"context":"...","question":"...","answer":"..."}',NULL,1,19,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('b20f0568-45af-573e-90ad-63955706b7e6','axolotl_dataset_formats','context_qa.load_404','{"article":"...","unanswerable_question":"..."}',NULL,1,20,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('d6b61a1d-9963-5a3f-9ad3-c411688ad158','axolotl_dataset_formats','creative_acr.load_answer','{"instruction":"...","revision":"..."}',NULL,1,21,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('9e4671e7-5fdd-5488-b384-d9ba321288fe','axolotl_dataset_formats','creative_acr.load_critique','{"scores":"...","critiques":"...","instruction":"...","answer":"..."}',NULL,1,22,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('12dac1cb-ffc6-5234-bc4f-06486880222f','axolotl_dataset_formats','creative_acr.load_revise','{"scores":"...","critiques":"...","instruction":"...","answer":"...","revision":"..."}',NULL,1,23,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
INSERT INTO "configs" VALUES('d035178a-ea59-57fa-bea7-0fe32328f1ef','axolotl_dataset_formats','metharme','{"prompt":"...","generation":"..."}',NULL,1,24,'2026-11-01 00:00:00.000000','2026-11-01 00:00:00.000000');
CREATE TABLE configs_import_rows (
	seq INTEGER NOT NULL, 
	import_id VARCHAR NOT NULL, 
	table_name VARCHAR NOT NULL, 
	place INTEGER NOT NULL, 
	row_id VARCHAR, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE configs_imports (
	id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE configs_requests (
	request_id VARCHAR NOT NULL, 
	digest VARCHAR, 
	record_id VARCHAR, noted_at DATETIME, 
	PRIMARY KEY (request_id)
);
CREATE TABLE configs_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT configs_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "configs_revision" VALUES('0007');
CREATE INDEX "list_configs_created_at" ON "configs" (created_at, seq);
CREATE INDEX "list_configs_created_at_down" ON "configs" (created_at DESC, seq);
CREATE INDEX "list_configs_id" ON "configs" ((substr(coalesce("id", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_configs_type" ON "configs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY), seq);
CREATE INDEX "list_configs_type_down" ON "configs" ((substr(coalesce("type", ''), 1, 256) COLLATE BINARY) DESC, seq);
CREATE INDEX "list_configs_updated_at" ON "configs" (updated_at, seq);
CREATE INDEX "list_configs_updated_at_down" ON "configs" (updated_at DESC, seq);
CREATE INDEX ix_configs_import_rows_import_id ON configs_import_rows (import_id);
CREATE INDEX ix_configs_import_rows_row_id ON configs_import_rows (row_id);
CREATE INDEX ix_configs_requests_noted_at ON configs_requests (noted_at);
CREATE INDEX ix_configs_type ON configs (type);
