"""The data of a job: rows, texts that a prompt makes of them, expected answers."""
