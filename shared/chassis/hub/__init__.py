"""Questions to the Hugging Face hub."""
