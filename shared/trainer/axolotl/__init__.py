"""Fine-tuning with Axolotl, where the job's environment has it."""
