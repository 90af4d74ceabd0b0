"""Configs that neither a request nor a job takes, with part of what is said.

Tests of the services and of the trainer go through them.
"""

from typing import Any

Table = list[tuple[dict[str, Any], str]]

TRAINING: Table = [
    ({"max_steps": 0}, "max_steps must be -1 or a whole number from 1 on, not 0"),
    ({"max_steps": -5}, "max_steps"),
    ({"logging_steps": 0}, "logging_steps must be a whole number from 1 on or a number above 0"),
    ({"logging_steps": 2.5}, "logging_steps"),
    ({"seed": -1}, "seed must be a whole number from 0"),
    ({"seed": 2**32}, "seed"),
    ({"data_seed": 2**63}, "data_seed"),
    ({"adam_beta1": 1.5}, "adam_beta1 must be a number from 0 and below 1, not 1.5"),
    ({"adam_beta2": 1}, "adam_beta2"),
    ({"adam_epsilon": 0}, "adam_epsilon"),
    ({"dataloader_num_workers": -1}, "dataloader_num_workers must be a whole number from 0 to 64"),
    ({"warmup_ratio": 1.5}, "warmup_ratio must be a number from 0 to 1, not 1.5"),
    ({"warmup_steps": 1.5}, "warmup_steps"),
    ({"lr_scheduler_type": "cosine_with_min_lr"}, "needs one of min_lr and min_lr_rate"),
    ({"lr_scheduler_type": "warmup_stable_decay"}, "needs num_decay_steps"),
    ({"lr_scheduler_kwargs": {"min_lr": 0.1}}, "min_lr is not known: lr_scheduler_type linear"),
    ({"lr_scheduler_kwargs": "x"}, "lr_scheduler_kwargs must be an object"),
    ({"lr_scheduler_type": "polynomial", "learning_rate": 1e-8}, "must be below learning_rate"),
    ({"dataloader_prefetch_factor": 2}, "needs dataloader_num_workers above 0"),
    ({"dataloader_persistent_workers": True}, "needs dataloader_num_workers above 0"),
    ({"optim": "galore_adamw"}, "other optimisers need packages or hardware"),
    ({"optim_args": "rank=8"}, "optim_args is for optim sgd, adagrad, rmsprop"),
    ({"deepspeed": {"zero": 1}}, "deepspeed must be null"),
    ({"fsdp": "full_shard"}, "fsdp"),
    ({"use_liger_kernel": True}, "use_liger_kernel must be false, not true: where jobs run"),
    ({"push_to_hub": True}, "push_to_hub must be false"),
    ({"report_to": ["wandb"]}, "report_to"),
    ({"eos_token": "<x>"}, "the tokenizer's own token is used"),
    ({"dataset_kwargs": {"skip_prepare_dataset": True}}, "the studio prepares the rows"),
    ({"resume_from_checkpoint": "x"}, "resume the job"),
    ({"trust_remote_code": True}, "code that comes with a model is not run"),
    ({"torch_compile_backend": "tensorrt"}, "torch_compile_backend"),
    ({"gradient_checkpointing_kwargs": {"context_fn": 1}}, "must be an object of use_reentrant"),
    *(
        ({f"{name}_checkpointing": True, f"{name}_checkpointing_kwargs": given}, "selective must")
        for name in ("gradient", "activation")
        for given in (
            {"selective": True},
            {"selective": True, "use_reentrant": False},
            '{"selective": true, "preserve_rng_state": true}',
        )
    ),
    ({"ddp_backend": "nccl"}, "ddp_backend nccl needs GPUs"),
    ({"learning_rate": 1e-300}, "too small to change a weight"),
    ({"num_train_epochs": 1e300}, "num_train_epochs"),
    ({"per_device_train_batch_size": 2**63}, "per_device_train_batch_size"),
    ({"per_device_train_batch_size": True}, "per_device_train_batch_size"),
    ({"max_steps": "5"}, "max_steps"),
]
LORA: Table = [
    ({"target_modules": "("}, "must be a list of names or a regular expression"),
    ({"target_modules": []}, "target_modules must be a list that is not empty"),
    ({"task_type": "SEQ_CLS"}, "the studio trains causal language models"),
    ({"peft_type": "IA3"}, "the studio trains LoRA adapters"),
    ({"trainable_token_indices": []}, "trainable_token_indices"),
    ({"trainable_token_indices": [1, 1]}, "each id of a token once"),
    ({"init_lora_weights": "loftq"}, "others need data or libraries"),
    ({"loftq_config": {"loftq_bits": 4}}, "quantised by bnb_config alone"),
    ({"lora_alpha": 0}, "0 would leave the model as it is"),
    ({"lora_dropout": 1}, "lora_dropout must be a number from 0 to 0.99, not 1"),
    ({"inference_mode": True}, "nothing would be trained"),
    ({"layers_to_transform": [0]}, "needs target_modules that is a list"),
    ({"layers_pattern": "h"}, "no effect without layers_to_transform"),
    ({"rank_pattern": {"q_proj": 0}}, "rank_pattern"),
    ({"rank_pattern": {"(": 2}}, "not a regular expression"),
    ({"alpha_pattern": {"(": 2}}, "not a regular expression"),
    ({"lora_bias": True, "use_dora": True}, "cannot both be true"),
]
GENERATION: Table = [
    ({"temperature": -1}, "temperature"),
    ({"do_sample": True, "temperature": 0}, "temperature must be above 0"),
    ({"max_new_tokens": 0}, "max_new_tokens must be a whole number from 1"),
    ({"max_new_tokens": 5, "min_new_tokens": 6}, "must not be above max_new_tokens"),
    ({"num_return_sequences": 2}, "an answer is one text for each row"),
    ({"top_p": 1.5}, "top_p must be a number from 0 to 1"),
    ({"num_beams": 10**9}, "num_beams"),
    ({"use_cache": False, "cache_implementation": "static"}, "needs use_cache to be true"),
    ({"forced_eos_token_id": 1, "suppress_tokens": [1]}, "cannot be among suppress_tokens"),
    ({"stop_strings": ["x"]}, "answers end at tokens"),
]
QUANTISATION: Table = [
    ({"load_in_4bit": True, "load_in_8bit": True}, "cannot both be true"),
    ({"load_in_4bit": 1}, "load_in_4bit must be true or false"),
    ({"load_in_4bit": True, "bnb_4bit_quant_type": "int4"}, "must be one of fp4, nf4"),
    ({"load_in_8bit": True, "llm_int8_threshold": -1}, "llm_int8_threshold"),
]
OF_MODEL_TRAINING: Table = [
    ({"router_aux_loss_coef": 1.5}, "router_aux_loss_coef"),
    ({"dataloader_drop_last": True, "per_device_train_batch_size": 4096}, "leaves out every row"),
    (
        {
            "dataloader_drop_last": True,
            "per_device_train_batch_size": 1,
            "per_device_eval_batch_size": 4096,
            "eval_strategy": "epoch",
        },
        "rows that are held out do not fill a batch of 4096",
    ),
]
"""Settings of a training that the starter model or its rows have nothing for."""
OF_MODEL_LORA: Table = [
    ({"target_modules": ["q_proj", "c_attn"]}, "names c_attn, which is not a module"),
    ({"target_modules": r".*\.c_attn"}, "matches no module of the base model"),
    ({"target_modules": ["mlp"]}, "which is not a linear layer"),
    ({"modules_to_save": ["classifier"]}, "modules_to_save names classifier"),
    ({"exclude_modules": ".*"}, "leave no module to train an adapter on"),
    ({"exclude_modules": ["nothing"]}, "exclude_modules names nothing"),
    ({"target_modules": ["q_proj"], "layers_to_transform": [0, 70]}, "names 70; the base model"),
    ({"rank_pattern": {"c_attn": 4}}, "rank_pattern has 'c_attn'"),
    ({"target_parameters": ["experts"]}, "target_parameters names experts"),
]
"""Settings of an adapter that name what the starter model does not have."""
OF_MODEL_GENERATION: Table = [
    ({"eos_token_id": 10**6}, "eos_token_id has 1000000; the "),
    ({"suppress_tokens": [1, 10**6]}, "suppress_tokens has 1000000; the "),
    ({"bad_words_ids": [[1, 10**6]]}, "bad_words_ids has 1000000; the "),
]
"""Ids of tokens that the starter model does not have."""
