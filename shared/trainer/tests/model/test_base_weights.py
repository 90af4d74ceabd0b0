"""Base models whose weights are not their own: what a person is told, and that nothing is
trained."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from rows.errors import TokenError
from trainer.errors import ModelError, kind_of
from trainer.model import hub
from trainer.model.hardware import Hardware
from trainer.model.loading import load_model, load_structure
from trainer.tests import models
from trainer.tests.models import Weights, change, edit, pickle, shard
from trainer.tests.studio import Studio
from trainer.tests.support import Run

Train = Callable[..., Run]
SHORT = {"max_steps": 1, "lr_scheduler_type": "constant", "warmup_ratio": 0}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1972448\n"


@pytest.fixture
def base(project: Path, studio: Studio) -> Path:
    """A copy of the starter model, which the studio knows as its model."""
    studio.model.location = "base"
    return models.copy(project / "base")


def renamed(old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: change(
        folder, lambda weights: {name.replace(old, new): one for name, one in weights.items()}
    )


def without(part: str) -> Callable[[Path], None]:
    return lambda folder: change(
        folder, lambda weights: {name: one for name, one in weights.items() if part not in name}
    )


def with_number(number: float, part: str) -> Callable[[Path], None]:
    def spoilt(weights: Weights) -> Weights:
        for name, one in weights.items():
            if part in name:
                one.view(-1)[one.numel() // 2] = number
        return weights

    return lambda folder: change(folder, spoilt)


def config(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "config.json", **changes)


def other_architecture(folder: Path) -> None:
    (folder / "config.json").unlink()
    GPT2Config(vocab_size=1024, n_embd=128, n_layer=2, n_head=4).save_pretrained(folder)


def cut(share: float, of: str = "model.safetensors") -> Callable[[Path], None]:
    def shorten(folder: Path) -> None:
        content = (folder / of).read_bytes()
        (folder / of).write_bytes(content[: int(len(content) * share)])

    return shorten


def write(content: bytes, name: str = "model.safetensors") -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content)


def both(*steps: Callable[[Path], Any]) -> Callable[[Path], None]:
    def all_of_them(folder: Path) -> None:
        for step in steps:
            step(folder)

    return all_of_them


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def index(take: str = "", point: str = "") -> Callable[[Path], None]:
    """Takes entries out of the index, or has them name a file that is not there."""

    def changed(folder: Path) -> None:
        file = folder / "model.safetensors.index.json"
        content = json.loads(file.read_text())
        places = content["weight_map"]
        content["weight_map"] = {
            name: "other.safetensors" if point and point in name else place
            for name, place in places.items()
            if not take or take not in place
        }
        file.write_text(json.dumps(content))

    return changed


FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a layer renamed": (
        renamed("layers.2.", "layers.7."),
        r"9 weights of LlamaForCausalLM are not",
    ),
    "all renamed": (renamed("model.", "transformer."), r"38 weights .*embed_tokens\.weight.*more"),
    "a weight missing": (without("2.mlp.up_proj"), r"1 weights .*layers\.2\.mlp\.up_proj\.weight"),
    "norms missing": (without("layernorm"), r"8 weights .*input_layernorm\.weight"),
    "embeddings missing": (without("embed"), r"model\.embed_tokens\.weight"),
    "more layers": (config(num_hidden_layers=6), r"18 weights .*layers\.4\.input_layernorm"),
    "a head of its own": (config(tie_word_embeddings=False), r"1 weights .*lm_head\.weight"),
    "hidden size": (config(hidden_size=64, head_dim=16), r"another shape.*\(1024x128 in place"),
    "inner size": (config(intermediate_size=256), r"12 weights have another shape"),
    "vocabulary": (config(vocab_size=900), r"embed_tokens\.weight \(1024x128 in place of 900x128"),
    "biases": (config(attention_bias=True), r"16 weights .*k_proj\.bias"),
    "architecture": (other_architecture, r"of GPT2LMHeadModel are not in its files.*have no place"),
    "model type": (config(model_type="invented"), r"cannot be loaded: .*invented"),
    "config": (write(b"{", "config.json"), r"cannot be loaded"),
    "pointer": (write(POINTER), r"Git LFS pointer of \d+ bytes.*git lfs pull"),
    "empty file": (write(b""), r"model\.safetensors is truncated"),
    "a page": (write(b"<html>" * 99), r"model\.safetensors is truncated or is not a safetensors"),
    "cut in the header": (cut(0.001), r"model\.safetensors is truncated"),
    "cut in a weight": (
        cut(0.7),
        r"model\.safetensors is truncated: it has [\d,]+ bytes of 1,972,448",
    ),
    "no weights": (remove("model.safetensors"), r"there are no weights"),
    "nan": (with_number(float("nan"), "3.mlp.down"), r"1? ?weight has .*3\.mlp\.down_proj\.weight"),
    "inf": (with_number(float("inf"), "embed"), r"not finite.*embed_tokens\.weight"),
    "-inf in all": (with_number(-float("inf"), "norm"), r"9 weights have .*and 4 more"),
    "a shard is gone": (both(shard, remove(SECOND)), rf"do not exist: {SECOND}"),
    "a shard is a pointer": (both(shard, write(POINTER, FIRST)), rf"{FIRST} is a Git LFS pointer"),
    "a shard is cut off": (both(shard, cut(0.9, SECOND)), rf"{SECOND} is truncated"),
    "no entry": (both(shard, index(take=SECOND)), r"19 weights of LlamaForCausalLM are not in"),
    "an entry elsewhere": (both(shard, index(point="norm")), r"do not exist: other\.safetensors"),
    "no index": (both(shard, remove("model.safetensors.index.json")), r"there are no weights"),
    "an index of nothing": (
        both(shard, write(b"{}", "model.safetensors.index.json")),
        r"index\.json cannot be read or has no weight_map",
    ),
    "a pickle is a pointer": (
        both(remove("model.safetensors"), write(POINTER, "pytorch_model.bin")),
        r"pytorch_model\.bin is a Git LFS pointer",
    ),
    "a pickle is cut off": (both(pickle, cut(0.5, "pytorch_model.bin")), r"cannot be loaded"),
    "a pickle of anything": (
        both(remove("model.safetensors"), write(b"cos\nsystem\n.", "pytorch_model.bin")),
        r"is damaged, or holds more than weights",
    ),
    "a pickle of others": (
        both(renamed("model.", "x."), pickle),
        r"39 weights of LlamaForCausalLM are not in its files",
    ),
    "an adapter": (write(b"{}", "adapter_config.json"), r"is an adapter: its directory has"),
    "tokenizer": (write(b"{", "tokenizer.json"), r"The tokenizer of .* cannot be loaded"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_incomplete_base_fails_the_job(
    train: Train, studio: Studio, project: Path, base: Path, name: str
) -> None:
    spoil, said = BROKEN[name]
    spoil(base)

    with pytest.raises(ModelError) as caught:
        train(training=SHORT)

    assert re.search(said, str(caught.value)), str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert kind_of(caught.value) == "USER_ERROR"
    assert studio.adapters == []
    assert not list(project.glob("adapters/*"))


def with_value_head(weights: Weights) -> Weights:
    head = {"v_head.summary.weight": torch.zeros(1, 128), "v_head.summary.bias": torch.zeros(1)}
    return weights | head


def with_own_head(weights: Weights) -> Weights:
    return weights | {"lm_head.weight": weights["model.embed_tokens.weight"].clone()}


WELL: dict[str, tuple[Callable[[Path], Any], str]] = {
    "as it is": (lambda _: None, ""),
    "shards": (shard, ""),
    "three shards and others beside them": (
        both(lambda folder: shard(folder, 3), write(b"any", "other.safetensors")),
        "",
    ),
    "a pickle": (pickle, ""),
    "a value head": (lambda f: change(f, with_value_head), "2 weights in the files.*v_head"),
    "fewer layers": (config(num_hidden_layers=3), "9 weights in the files .* no place.*layers.3."),
    "a head that is tied all the same": (lambda f: change(f, with_own_head), ""),
    "without the prefix": (renamed("model.", ""), ""),
    "old buffers": (
        lambda f: change(
            f, lambda w: w | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(16)}
        ),
        "",
    ),
}


@pytest.mark.parametrize("name", WELL)
def test_harmless_weights_train_and_unused_ones_are_reported(
    train: Train, base: Path, name: str
) -> None:
    make, said = WELL[name]
    make(base)

    run = train(training=SHORT)

    assert run.of("registered")
    told = [n["message"] for n in run.of("notice") if "have no place in" in n["message"]]
    assert bool(told) == bool(said)
    assert not said or re.search(said, told[0]), told


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_weights_are_never_random(data: st.DataObject, tmp_path_factory: Any) -> None:
    folder = models.copy(tmp_path_factory.mktemp("any") / "model")
    own = models.load_file(folder / "model.safetensors")
    names = sorted(own)
    lost = data.draw(st.sets(st.sampled_from(names)))
    moved = data.draw(st.sets(st.sampled_from(names)))
    change(
        folder,
        lambda w: {
            f"{name}.other" if name in moved else name: one
            for name, one in w.items()
            if name not in lost
        },
    )
    if data.draw(st.booleans()):
        shard(folder, data.draw(st.integers(1, 3)))

    def load() -> Any:
        return load_model(str(folder), Hardware(1), torch.float32, None)

    if lost | moved:
        with pytest.raises(ModelError, match=r"are not in its files|there are no weights"):
            load()
    else:
        model = load()
        assert all(
            (own[n].float() == one).all() for n, one in model.state_dict().items() if n in own
        )


def test_inspection_without_weights_finds_the_same(base: Path) -> None:
    BROKEN["a layer renamed"][0](base)
    with pytest.raises(ModelError, match="9 weights of LlamaForCausalLM are not in its files"):
        load_structure(str(base), "", lambda _: None)


def add_token(folder: Path, *tokens: str, **special: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken(token) for token in tokens])
    if special:
        tokenizer.add_special_tokens(special)
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize("special", ["pad_token", "eos_token", "unk_token", "bos_token"])
def test_special_token_without_an_embedding_fails_the_job(
    train: Train, studio: Studio, base: Path, special: str
) -> None:
    add_token(base, **{special: "<|new|>"})

    with pytest.raises(ModelError, match=r"has 1,024 rows.*'<\|new\|>' with the number 1024"):
        train(training=SHORT)
    assert studio.adapters == []


def test_token_of_the_rows_without_an_embedding_fails_the_job(
    train: Train, studio: Studio, project: Path, base: Path
) -> None:
    add_token(base, "<a>", "order")
    with pytest.raises(ModelError, match=r"beyond them: 'order' with the number 1025"):
        train(training=SHORT)
    assert studio.adapters == []


def test_token_that_no_row_has_is_reported(train: Train, base: Path) -> None:
    add_token(base, "<image>", "<video>")

    run = train(training=SHORT)

    [told] = [n["message"] for n in run.of("notice") if "no embedding" in n["message"]]
    assert "2 tokens of the tokenizer" in told
    assert "'<image>' (1024), '<video>' (1025)" in told
    assert run.of("registered")


def test_embeddings_that_are_padded_beyond_the_tokenizer_are_fine(train: Train, base: Path) -> None:
    edit(base / "config.json", vocab_size=1088)

    def pad(weights: Weights) -> Weights:
        name = "model.embed_tokens.weight"
        more = torch.zeros(64, 128, dtype=weights[name].dtype)
        return weights | {name: torch.cat((weights[name], more))}

    change(base, pad)
    run = train(training=SHORT)

    assert not [n for n in run.of("notice") if "embedding" in n["message"]]
    assert run.of("registered")


def test_tokenizer_without_an_end_of_text_is_refused(train: Train, base: Path) -> None:
    edit(base / "tokenizer_config.json", eos_token=None)
    edit(base / "config.json", eos_token_id=None)
    with pytest.raises(TokenError, match="no end-of-text token"):
        train(training=SHORT)


def test_gpt2_of_another_size_is_refused(tmp_path: Path) -> None:
    small = GPT2Config(vocab_size=64, n_embd=16, n_layer=1, n_head=2, n_positions=32)
    GPT2LMHeadModel(small).save_pretrained(tmp_path)
    load_model(str(tmp_path), Hardware(1), torch.float32, None)
    edit(tmp_path / "config.json", n_layer=2)
    with pytest.raises(ModelError, match=r"12 weights of GPT2LMHeadModel"):
        load_model(str(tmp_path), Hardware(1), torch.float32, None)


def test_commit_that_is_gone_is_not_replaced_by_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=r"Model a/b cannot be loaded at commit c+, at"):
        hub.commit_of_model("a/b", "c" * 40)
    assert hub.commit_of_model("a/b") == ""
