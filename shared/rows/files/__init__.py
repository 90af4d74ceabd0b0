"""Files of rows, read by the standard library. Registration, checks and jobs use the same code.

Nothing here imports `datasets`, a tokenizer or pyarrow before a file needs it.
"""
