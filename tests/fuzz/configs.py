"""Configs with edge values, drawn from the schemas that requests are held against."""

import json
from importlib import import_module
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jobs.requests.settings import SCHEMAS

KINDS = {
    kind: json.loads((SCHEMAS / f"{kind}.json").read_text())["properties"]
    for kind in ("training_arguments", "lora_config", "bitsandbytes_config", "generation_config")
}
SHIPPED = import_module("services.configs.migrations.0002_shipped").SETTINGS
SHIPPED["training_arguments"] = {**SHIPPED["training_arguments"], "report_to": "none"}
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    3,
    -0.0,
    0.5,
    1.0,
    1.5,
    2.0,
    0.999999,
    1e-300,
    1e-8,
    1e300,
    -1e300,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**63,
    "",
    " ",
    "1",
    "true",
    "none",
    "auto",
    "ä",
    "q_proj",
    "no",
    "steps",
    [],
    [1],
    [1, 1],
    [0.0],
    [[1]],
    [2**40],
    ["q_proj"],
    [""],
    {},
    {"q_proj": 1},
    {"a": {}},
    "{",
    '{"a": 1}',
)
_ODD = st.sampled_from(ODD)
MODULES = (
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "mlp",
    "self_attn",
    "embed_tokens",
    "lm_head",
    "norm",
    "input_layernorm",
    "layers",
    "0",
    "model",
    "none_such",
    "proj",
    "layers.1.mlp.up_proj",
    "model.layers.0.self_attn.q_proj",
)
PATTERNS = (
    "all-linear",
    "ALL-LINEAR",
    r".*\.q_proj",
    r"model\.layers\.1\..*_proj",
    ".*",
    "(",
    "q_proj",
    "lm_head",
    r".*norm",
    "",
)
_NAMES = st.lists(st.sampled_from(MODULES), max_size=3)
_LAYERS = st.sampled_from((0, 1, 2, 5, [0], [0, 1], [1, 7], [], [0.0], -1))
_SCHEDULE = st.dictionaries(
    st.sampled_from(
        (
            "num_cycles",
            "power",
            "lr_end",
            "min_lr",
            "min_lr_rate",
            "num_decay_steps",
            "num_stable_steps",
            "warmup_type",
            "decay_type",
            "timescale",
            "factor",
            "patience",
            "warmup_lr_rate",
            "max_lr",
            "threshold_mode",
        )
    ),
    st.sampled_from((0, 1, 2.0, 0.5, 1.5, -1, None, "cosine", "linear", "rel", True, 1e-9, 1e300)),
    max_size=3,
)
_FLAGS = st.dictionaries(
    st.sampled_from(("use_reentrant", "selective", "preserve_rng_state", "context_fn")),
    st.sampled_from((True, False, 1, None)),
    max_size=2,
)
SPECIAL: dict[str, dict[str, "st.SearchStrategy[Any]"]] = {
    "training_arguments": {
        "lr_scheduler_kwargs": _SCHEDULE | _SCHEDULE.map(json.dumps),
        "gradient_checkpointing_kwargs": _FLAGS | _FLAGS.map(json.dumps),
        "activation_checkpointing_kwargs": _FLAGS,
        "optim_args": st.sampled_from(
            (
                "momentum=0.9",
                "momentum=0.9, nesterov=true",
                "nesterov=true",
                "nesterov=true,momentum=0.5,dampening=0.1",
                "alpha=0.9,centered=true",
                "lr_decay=0.1,eps=1e-8",
                "eps=0",
                "rank=8",
                "momentum",
                "weight_decay=nan",
                "momentum=-1",
                "",
            )
        ),
        "report_to": st.sampled_from(
            ("none", "mlflow", "wandb", ["none"], ["tensorboard"], [], "all", None)
        ).filter(lambda one: "mlflow" not in str(one) and one != "all"),
        # Files of a project, which a tokenizer's template may come from.
        "chat_template_path": st.sampled_from((None, "")),
    },
    "lora_config": {
        "target_modules": _NAMES | st.sampled_from(PATTERNS),
        "exclude_modules": _NAMES | st.sampled_from(PATTERNS),
        "modules_to_save": _NAMES,
        "layers_to_transform": _LAYERS,
        "layers_pattern": st.sampled_from(("layers", ["layers"], "h", "(", "", [])),
        "rank_pattern": st.dictionaries(
            st.sampled_from((*MODULES, ".*q_proj", "(")),
            st.sampled_from((1, 4, 4.0, 0, True, 2.5)),
            max_size=2,
        ),
        "alpha_pattern": st.dictionaries(
            st.sampled_from((*MODULES, "^q_proj")), st.sampled_from((1, 16, 0.0)), max_size=2
        ),
        "trainable_token_indices": st.sampled_from(
            ([1, 2], [10**6], [1, 1], [2.0], {"embed_tokens": [1]}, {"x": [1]}, {"lm_head": [1]})
        ),
        "target_parameters": st.lists(
            st.sampled_from(
                ("q_proj.weight", "mlp.gate_proj.weight", "norm.weight", "x", "embed_tokens.weight")
            ),
            max_size=2,
        ),
        "init_lora_weights": st.sampled_from(
            (
                True,
                False,
                "gaussian",
                "olora",
                "pissa",
                "pissa_niter_4",
                "orthogonal",
                "eva",
                "loftq",
                "pissa_niter_0",
                "mica",
            )
        ),
        "r": st.sampled_from((1, 2, 3, 8, 8.0, 64, 0, 100_000)),
    },
    "bitsandbytes_config": {},
    "generation_config": {
        "bad_words_ids": st.sampled_from(([[1]], [[1, 2], [3]], [[]], [], [[1.0]], [[10**6]])),
        "eos_token_id": st.sampled_from((0, 1, [1, 2], [], 10**6, [1.0])),
        "cache_implementation": st.sampled_from(("dynamic", "static", "quantized", "paged", None)),
    },
}
"""Settings whose edge values no schema tells."""
NEVER = {"training_arguments": ("torch_compile", "torch_compile_backend", "torch_compile_mode")}
"""Settings that are tried a few times only: each takes minutes."""


def _near(schema: dict[str, Any]) -> list[Any]:
    """Values at the limits of a schema, and just beyond them."""
    found: list[Any] = list(schema.get("enum", ()))
    for one in schema.get("anyOf", ()):
        found += _near(one)
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if name in schema:
            limit = schema[name]
            found += [limit, limit + 1, limit - 1, float(limit), limit * 1.001, limit * 0.999]
    if "default" in schema:
        found.append(schema["default"])
    return found


def value_of(kind: str, name: str) -> "st.SearchStrategy[Any]":
    """Values for a setting, such as its schema takes more often than not."""
    special = SPECIAL[kind].get(name)
    if special is not None and name == "chat_template_path":
        return special
    pool = [*_near(KINDS[kind][name]), *ODD]
    schema = Draft202012Validator(KINDS[kind][name])
    near = st.sampled_from([one for one in pool if schema.is_valid(one)])
    return st.one_of(near if special is None else special, near, near, st.sampled_from(pool))


def config_of(kind: str, most: int) -> "st.SearchStrategy[dict[str, Any]]":
    """Configs of that kind with up to so many settings."""
    names = [name for name in KINDS[kind] if name not in NEVER.get(kind, ())]
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({n: value_of(kind, n) for n in some}))


@st.composite
def whole_config_of(draw: st.DrawFn, kind: str, most: int) -> dict[str, Any]:
    """Such a config, added to the shipped one in one of four cases."""
    added = draw(st.sampled_from((False, False, False, True)))
    return {**(SHIPPED[kind] if added else {}), **draw(config_of(kind, most))}


@st.composite
def trainings(draw: st.DrawFn) -> dict[str, Any]:
    """What a fine-tuning job is asked for: one setting, two of them, or many."""
    most = draw(st.sampled_from((1, 2, 2, 4, 8)))
    about = draw(st.sampled_from((*("training",) * 4, *("lora",) * 3, "both", "bnb")))
    asked: dict[str, Any] = {}
    if about in ("training", "both"):
        asked["training"] = draw(whole_config_of("training_arguments", most))
    if about in ("lora", "both"):
        asked["lora"] = draw(whole_config_of("lora_config", most))
    if about == "bnb":
        asked["bnb"] = draw(whole_config_of("bitsandbytes_config", most))
    return asked


def generations() -> "st.SearchStrategy[dict[str, Any]]":
    """What an evaluation is asked for."""
    return st.sampled_from((1, 2, 4)).flatmap(
        lambda most: whole_config_of("generation_config", most).map(lambda one: {"generation": one})
    )
