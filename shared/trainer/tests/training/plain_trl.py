"""A training script with the libraries alone: `plain_trl.py MODEL ROWS OUTPUT SETTINGS`."""

import json
import sys

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM
from trl import SFTConfig, SFTTrainer

model, data, output, settings = sys.argv[1:]
torch.set_num_threads(2)
rows = load_dataset("json", data_files=data, split="train")
share = len(rows) * 9 // 10
rows = rows.train_test_split(train_size=share, test_size=len(rows) - share, seed=42)["train"]
rows = rows.map(lambda r: {"text": f"### CUSTOMER: {r['customer']}\n### ACTION: {r['action']}"})
trainer = SFTTrainer(
    AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
    args=SFTConfig(output, **json.loads(settings)),
    train_dataset=rows,
    peft_config=LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"),
)
trainer.train()
trainer.save_model(output)
trainer.state.save_to_json(f"{output}/state.json")
