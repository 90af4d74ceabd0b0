"""Pre-trains the starter base model: a Llama of about a million parameters, and its tokenizer.

Run as `python -m trainer.starter.pretrain [DIRECTORY]`; takes some minutes on one core. Seeded
throughout: the same library versions on the same kind of processor make the same file again.
"""

import logging
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from trainer.starter.corpus import corpus
from trainer.starter.phrases import HERE

logger = logging.getLogger(__name__)

SEED = 3
VOCABULARY = 1024
CONTEXT = 256
STEPS = 700
BATCH, LENGTH = 32, 64
PEAK_LEARNING_RATE = 3e-3
END, PAD = "<|end|>", "<|pad|>"


def make_tokenizer(documents: list[str]) -> Any:
    """A byte-level BPE tokenizer, which can encode any text. The pad token is not end-of-text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    wrap: Any = PreTrainedTokenizerFast
    return wrap(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, model_max_length=CONTEXT)


def make_model(tokenizer: Any) -> LlamaForCausalLM:
    """An untrained model. Every width divides by 64, as the 4-bit kernels want it."""
    torch.manual_seed(SEED)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def pretrain(model: LlamaForCausalLM, stream: torch.Tensor) -> None:
    """Trains on random windows of the token stream, with warm-up and cosine decay."""
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=STEPS, pct_start=0.05
    )
    model.train()
    for step in range(STEPS):
        starts = torch.randint(len(stream) - LENGTH, (BATCH,), generator=generator)
        batch = torch.stack([stream[start : start + LENGTH] for start in starts])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 50 == 0 or step == STEPS - 1:
            logger.info("step %d: loss %.3f", step, loss.item())


def main(target: Path) -> None:
    """Makes tokenizer and model, and saves both into `target`."""
    begin = time.monotonic()
    # Sums come out the same whatever the number of cores.
    torch.set_num_threads(1)
    documents = corpus()
    tokenizer = make_tokenizer(documents)
    ids = tokenizer(documents)["input_ids"]
    stream = torch.tensor(
        [token for document in ids for token in [*document, tokenizer.eos_token_id]]
    )
    model = make_model(tokenizer)
    logger.info("%d tokens, %d parameters", len(stream), model.num_parameters())
    pretrain(model, stream)
    # Half the size. What is read back as float32 has exactly the saved values.
    model.bfloat16().save_pretrained(target)
    tokenizer.save_pretrained(target)
    logger.info("saved in %s after %.0f s", target, time.monotonic() - begin)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "model")
