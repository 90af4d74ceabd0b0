"""Names by which the studio and its jobs find what the other has left."""

TEMPLATES = ("prompt_template", "input_template", "completion_template")
"""Fields of a prompt that make texts of rows."""
ANSWERS_FILE = "parity.json"
"""Beside an adapter: its prompt, and answers that whoever serves it verifies itself with."""
MERGED_FOLDER = "model"
"""Where in its job's folder a merged model lies."""
