"""Values of the libraries' settings that a job can work with.

The libraries declare types. Many values of a type fail only when a job runs, or are ignored. A
schema here replaces the declared type of a setting. Its `reason` is shown to users after the
invalid value, unless the value is only out of a range.
"""

from collections.abc import Mapping
from typing import Any

from ft.configs.training import BITSANDBYTES_OPTIMISERS

Schema = dict[str, Any]

MOST = 2**31 - 1
"""The largest count; torch keeps many of them in 32 bits."""


def _whole(least: int, most: int = MOST) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _number(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


def _only(*values: Any, reason: str) -> Schema:
    return {"enum": list(values), "reason": reason}


STEPS: Schema = {
    "anyOf": [
        _whole(1),
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    ]
}
"""A number of steps, or a share of all steps."""
NAME: Schema = {"type": "string", "minLength": 1}
NAMES: Schema = {"type": "array", "items": NAME, "minItems": 1}

_BETA: Schema = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
_NO_HUB = "jobs cannot write to the hub; export the adapter instead"
_NOT_THERE = "jobs do not have this library"
_ONE_PROCESS = "the studio divides the work among workers itself; ask for num_workers"
_OWN_MODEL = "the base model is loaded by the studio, from what is registered"
_OWN_TOKENS = "the tokenizer's own token is used"

TRAINING: Mapping[str, Schema] = {
    "per_device_train_batch_size": _whole(1),
    "per_device_eval_batch_size": _whole(1),
    "gradient_accumulation_steps": _whole(1),
    "num_train_epochs": {"type": "number", "maximum": 1_000_000},
    "max_steps": {"anyOf": [{"enum": [-1]}, _whole(1)], "reason": "-1 trains by epochs"},
    "learning_rate": {"type": "number", "maximum": 100},
    "warmup_steps": {
        "anyOf": [_whole(0), {"type": "number", "minimum": 0, "exclusiveMaximum": 1}],
        "reason": "below 1 it is a share of all steps",
    },
    "warmup_ratio": _number(0, 1),
    "weight_decay": _number(0, 100),
    "adam_beta1": _BETA,
    "adam_beta2": _BETA,
    "adam_epsilon": _number(1e-30, 1),
    "max_grad_norm": {"anyOf": [{"enum": [0]}, _number(1e-12, 1e12)]},
    "label_smoothing_factor": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "optim": _only(
        "adamw_torch",
        "adamw_torch_fused",
        "adafactor",
        "sgd",
        "adagrad",
        "rmsprop",
        *BITSANDBYTES_OPTIMISERS,
        reason="other optimisers need packages or hardware that jobs do not have",
    ),
    "optim_target_modules": _only(None, reason="only optimisers that jobs do not have use it"),
    "use_liger_kernel": _only(False, reason=_NOT_THERE),
    "liger_kernel_config": _only(None, reason=_NOT_THERE),
    "use_cache": _only(False, reason="in a training a cache would mix rows that are packed"),
    "neftune_noise_alpha": _or_null(_number(0, 1000)),
    "torch_compile_backend": _only("inductor", "eager", "aot_eager", None, reason=_NOT_THERE),
    "torch_compile_mode": {"enum": ["default", "reduce-overhead", "max-autotune", None]},
    "torch_empty_cache_steps": _or_null(_whole(1)),
    "logging_steps": STEPS,
    "eval_steps": _or_null(STEPS),
    "save_steps": STEPS,
    "eval_delay": _number(0, MOST),
    "eval_accumulation_steps": _or_null(_whole(1)),
    "save_total_limit": _or_null(_whole(1)),
    "save_only_model": _only(
        False, reason="a job that is tried again goes on from its checkpoints, optimiser and all"
    ),
    "enable_jit_checkpoint": _only(False, reason="a job saves by the clock; set save_minutes"),
    "include_num_input_tokens_seen": {"enum": [True, False, "no", "all", "non_padding"]},
    "include_for_metrics": {"type": "array", "items": {"enum": ["inputs", "loss"]}},
    "report_to": {
        "anyOf": [
            {"enum": ["none", "all", "mlflow", None]},
            {"type": "array", "items": {"enum": ["none", "all", "mlflow"]}},
        ],
        "reason": "jobs report to MLflow or to nothing; others need packages that are not there",
    },
    "push_to_hub": _only(False, reason=_NO_HUB),
    "hub_token": _only(None, reason="a config is kept and shown; the studio has a token itself"),
    "hub_always_push": _only(False, reason=_NO_HUB),
    "seed": _whole(0, 2**32 - 1),
    "data_seed": _or_null(_whole(0, 2**32 - 1)),
    "accelerator_config": _only(None, reason=_ONE_PROCESS),
    "parallelism_config": _only(None, reason=_ONE_PROCESS),
    "fsdp": _only(None, "", reason=_ONE_PROCESS),
    "fsdp_config": _only(None, reason=_ONE_PROCESS),
    "deepspeed": _only(None, reason=_NOT_THERE),
    "debug": {
        "anyOf": [{"enum": [""]}, {"type": "array", "maxItems": 0}],
        "reason": "it is for developers of the libraries",
    },
    "dataloader_num_workers": _whole(0, 64),
    "dataloader_prefetch_factor": _or_null(_whole(1, 10_000)),
    "label_names": _only(None, reason="the studio makes the labels"),
    "remove_unused_columns": _only(True, reason="no other column can be trained on"),
    "ddp_backend": _only("nccl", "gloo", None, reason="jobs have no hardware for others"),
    "ddp_timeout": _whole(1),
    "ddp_bucket_cap_mb": _or_null(_whole(1, 100_000)),
    "resume_from_checkpoint": _only(
        None, reason="a job goes on from its own checkpoints; resume the job"
    ),
    "local_rank": _only(-1, reason=_ONE_PROCESS),
    "model_init_kwargs": _only(None, reason=_OWN_MODEL),
    "trust_remote_code": _only(False, reason="code that comes with a model is not run"),
    "router_aux_loss_coef": _or_null(_number(0, 1000)),
    "dataset_kwargs": _only(None, reason="the studio prepares the rows"),
    "dataset_num_proc": _or_null(_whole(1, 64)),
    "eos_token": _only(None, reason=_OWN_TOKENS),
    "pad_token": _only(None, reason=_OWN_TOKENS),
    "max_length": {
        **_or_null(_whole(2)),
        "reason": "each token is learnt from those before it, so one alone teaches nothing",
    },
    "pad_to_multiple_of": {"anyOf": [_whole(1, 1024), {"enum": ["auto", None]}]},
}

_NO_DATA = "it needs data before the training, which a job does not give it"
_VARIANT = "the studio does not train this variant"

LORA: Mapping[str, Schema] = {
    "task_type": _only("CAUSAL_LM", None, reason="the studio trains causal language models"),
    "peft_type": _only("LORA", None, reason="the studio trains LoRA adapters"),
    "auto_mapping": _only(None, reason=_OWN_MODEL),
    "inference_mode": _only(False, reason="true would leave the adapter untrained"),
    "r": _whole(1, 16_384),
    "lora_alpha": {**_whole(1, 1_000_000), "reason": "0 would leave the model as it is"},
    "lora_dropout": {
        **_number(0, 0.99),
        "reason": "beyond it there is nothing left to learn from",
    },
    "target_modules": {
        "anyOf": [NAMES, {"type": "string", "minLength": 1}, {"type": "null"}],
        "reason": "null stands for all linear layers",
    },
    "exclude_modules": {
        "anyOf": [{"type": "array", "items": NAME}, NAME, {"type": "null"}],
    },
    "modules_to_save": _or_null({"type": "array", "items": NAME}),
    "init_lora_weights": {
        "anyOf": [
            {"type": "boolean"},
            {"enum": ["gaussian", "olora", "pissa", "orthogonal"]},
            {"type": "string", "pattern": "^pissa_niter_[1-9][0-9]?$"},
        ],
        "reason": "others need data or libraries before the training that a job does not give them",
    },
    "layers_to_transform": {
        "anyOf": [
            _whole(0, 100_000),
            {"type": "array", "items": _whole(0, 100_000), "minItems": 1},
            {"type": "null"},
        ]
    },
    "layers_pattern": {"anyOf": [NAMES, NAME, {"type": "null"}]},
    "rank_pattern": _or_null({"type": "object", "additionalProperties": _whole(1, 16_384)}),
    "alpha_pattern": _or_null({"type": "object", "additionalProperties": _whole(1, 1_000_000)}),
    "megatron_config": _only(None, reason=_NOT_THERE),
    "megatron_core": _only("megatron.core", None, reason=_NOT_THERE),
    "trainable_token_indices": {
        "anyOf": [
            {"type": "array", "items": _whole(0), "minItems": 1, "uniqueItems": True},
            {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": _whole(0),
                    "minItems": 1,
                    "uniqueItems": True,
                },
            },
            {"type": "null"},
        ],
        "reason": "a token id may occur only once",
    },
    "loftq_config": {
        "anyOf": [{"type": "object", "maxProperties": 0}, {"type": "null"}],
        "reason": "the base model is quantised by bnb_config alone",
    },
    "eva_config": _only(None, reason=_NO_DATA),
    "corda_config": _only(None, reason=_NO_DATA),
    "lora_ga_config": _only(None, reason=_NO_DATA),
    "velora_config": _only(None, reason=_VARIANT),
    "alora_invocation_tokens": _only(None, reason=_VARIANT),
    "use_qalora": _only(False, reason="it needs a base model that is quantised by GPTQ"),
    "monteclora_config": _only(None, reason=_VARIANT),
    "layer_replication": _only(None, reason="an adapter lies on the base model's own layers"),
    "runtime_config": {
        "anyOf": [{"type": "object", "maxProperties": 0}, {"type": "null"}],
        "reason": _OWN_MODEL,
    },
    "target_parameters": _or_null({"type": "array", "items": NAME}),
    "use_bdlora": _only(None, reason=_VARIANT),
    "arrow_config": _only(None, reason=_VARIANT),
    "kasa_config": _only(None, reason=_VARIANT),
}

BITSANDBYTES: Mapping[str, Schema] = {
    "llm_int8_threshold": _number(0, 1e6),
    "llm_int8_enable_fp32_cpu_offload": _only(
        False, reason="the whole model lies on the GPU of its worker"
    ),
    "llm_int8_has_fp16_weight": _only(False, reason="weights that are quantised are not trained"),
}

_ONE_ANSWER = "an answer is one text for each row"
_ENCODERS = "the model has no encoder"
_AHEAD = "answers are written in batches, for which there is no assistant"
_GONE = "the library has taken it out"
_TOKENS: Schema = {"type": "array", "items": _whole(0)}

GENERATION: Mapping[str, Schema] = {
    "max_new_tokens": _or_null(_whole(1, 1_000_000)),
    "max_length": _only(None, reason="it would count the question too; set max_new_tokens"),
    "min_length": _or_null(_whole(0, 1_000_000)),
    "min_new_tokens": _or_null(_whole(0, 1_000_000)),
    "max_time": _or_null({"type": "number", "exclusiveMinimum": 0, "maximum": 1e9}),
    "stop_strings": _only(None, reason="answers end at tokens; set eos_token_id"),
    "num_beams": _or_null(_whole(1, 16)),
    "use_mtp": _only(False, None, reason=_AHEAD),
    "cache_implementation": _only(
        "dynamic", "static", None, reason="others need hardware or libraries that jobs do not have"
    ),
    "cache_config": _only(None, reason="only a quantised cache has one, which jobs do not have"),
    "max_cache_len": _only(None, reason="the cache is as long as question and answer"),
    "temperature": _or_null(
        {"anyOf": [{"enum": [0]}, _number(0.001, 1000)]}  # 0: without sampling it has no effect
    ),
    "top_k": _or_null(_whole(0)),
    "top_p": _or_null(_number(0, 1)),
    "min_p": _or_null(_number(0, 1)),
    "top_h": _or_null({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
    "typical_p": _or_null({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
    "epsilon_cutoff": _or_null({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
    "eta_cutoff": _or_null({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
    "repetition_penalty": _or_null(_number(0.01, 100)),
    "encoder_repetition_penalty": _or_null(_number(0.01, 100)),
    "length_penalty": _or_null(_number(-10, 10)),
    "no_repeat_ngram_size": _or_null(_whole(0)),
    "bad_words_ids": _or_null(
        {"type": "array", "items": {**_TOKENS, "minItems": 1}, "minItems": 1}
    ),
    "forced_bos_token_id": _only(None, reason="an answer goes on from the question's tokens"),
    "forced_eos_token_id": _or_null({"anyOf": [_whole(0), {**_TOKENS, "minItems": 1}]}),
    "exponential_decay_length_penalty": _only(
        None, reason="it grows beyond any number; set max_new_tokens"
    ),
    "suppress_tokens": _or_null(_TOKENS),
    "begin_suppress_tokens": _or_null(_TOKENS),
    "sequence_bias": _only(None, reason="the studio does not pass it on; set bad_words_ids"),
    "token_healing": _only(False, None, reason="a question is asked with the tokens that it has"),
    "guidance_scale": _only(None, 1, reason="requests have no negative prompt"),
    "watermarking_config": _only(None, reason="it would change what is scored"),
    "num_return_sequences": _only(1, None, reason=_ONE_ANSWER),
    "output_attentions": _only(False, None, reason=_ONE_ANSWER),
    "output_hidden_states": _only(False, None, reason=_ONE_ANSWER),
    "output_scores": _only(False, None, reason=_ONE_ANSWER),
    "output_logits": _only(False, None, reason=_ONE_ANSWER),
    "return_dict_in_generate": _only(False, None, reason=_ONE_ANSWER),
    "pad_token_id": _or_null(_whole(0)),
    "bos_token_id": _or_null(_whole(0)),
    "eos_token_id": _or_null({"anyOf": [_whole(0), {**_TOKENS, "minItems": 1}]}),
    "encoder_no_repeat_ngram_size": _only(0, None, reason=_ENCODERS),
    "decoder_start_token_id": _only(None, reason=_ENCODERS),
    "is_assistant": _only(False, None, reason=_AHEAD),
    "num_assistant_tokens": _only(None, reason=_AHEAD),
    "num_assistant_tokens_schedule": _only(None, reason=_AHEAD),
    "assistant_confidence_threshold": _only(None, reason=_AHEAD),
    "prompt_lookup_num_tokens": _only(None, reason=_AHEAD),
    "max_matching_ngram_size": _only(None, reason=_AHEAD),
    "assistant_early_exit": _only(None, reason=_AHEAD),
    "assistant_lookbehind": _only(None, reason=_AHEAD),
    "target_lookbehind": _only(None, reason=_AHEAD),
    "assistant_ensemble_weight": _only(None, reason=_AHEAD),
    "speculation_type": _only(None, reason=_AHEAD),
    "compile_config": _only(None, reason="its value cannot be written as JSON"),
    "continuous_batching_config": _only(None, reason="answers are written in batches"),
    "low_memory": _only(None, False, reason=_GONE),
    "penalty_alpha": _only(None, 0, reason=_GONE),
    "dola_layers": _only(None, reason=_GONE),
    "diversity_penalty": _only(None, 0, reason=_GONE),
    "num_beam_groups": _only(None, 1, reason=_GONE),
    "constraints": _only(None, reason=_GONE),
    "force_words_ids": _only(None, reason=_GONE),
    "prefill_chunk_size": _only(None, reason="a question is read as a whole"),
    "transformers_version": _or_null({"type": "string"}),
}

LIMITS: Mapping[str, Mapping[str, Schema]] = {
    "training_arguments": TRAINING,
    "lora_config": LORA,
    "bitsandbytes_config": BITSANDBYTES,
    "generation_config": GENERATION,
}
"""Schemas that replace the declared types, by type of config."""
