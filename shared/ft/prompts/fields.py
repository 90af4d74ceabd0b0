"""Fields of a prompt."""

TEMPLATES = ("prompt_template", "input_template", "completion_template")
"""Fields that hold the templates which turn rows into texts."""
