"""The model of a job: base, adapters, tokenizer, chat template, memory."""
