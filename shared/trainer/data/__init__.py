"""From rows to what is trained on and asked: texts, conversations, tokens, questions."""
