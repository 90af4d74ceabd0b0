"""Files of rows, read by the standard library: the same code for a first look and for a job.

Nothing here imports `datasets`, a tokenizer or pyarrow before a file needs it.
"""
