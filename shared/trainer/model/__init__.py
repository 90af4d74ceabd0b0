"""Base models, tokenizers and adapters: loading, checking, hashing, saving, generating."""
