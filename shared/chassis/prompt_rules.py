"""The rules about what templates of prompts are likely to do: told by AddPrompt and by checks of
jobs, and nothing is refused for them."""

from chassis.rules import Rule
from ft.template_notices import Kind

BLANK = Rule(
    "FT-403", "An input_template does not end in a blank that is one token with what follows."
)
WHOLE = Rule(
    "FT-404",
    "A prompt_template is the input_template with the completion_template behind it.",
)
TOKENS = Rule(
    "FT-405",
    "A template has no special tokens that the tokenizer or the training writes too, or that "
    "answers are compared without.",
)
BRACES = Rule("FT-406", "Braces around the name of a column are not doubled.")

OF_KIND = {Kind.BLANK: BLANK, Kind.WHOLE: WHOLE, Kind.TOKENS: TOKENS, Kind.BRACES: BRACES}
"""The rule of each kind of notice."""
