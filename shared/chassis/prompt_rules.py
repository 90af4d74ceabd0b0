"""Rules about likely mistakes in the templates of prompts.

AddPrompt and the checks of jobs report them as notices. Nothing is refused because of them.
"""

from chassis.rpc.rules import Rule
from ft.prompts.notices import NoticeKind

BLANK = Rule(
    "FT-403",
    "An input_template does not end in a space that the tokenizer joins with the text that "
    "follows.",
)
WHOLE = Rule(
    "FT-404", "A prompt_template is the input_template followed by the completion_template."
)
TOKENS = Rule(
    "FT-405",
    "A template has no special tokens that the tokenizer or the training also adds, or that are "
    "removed before answers are compared.",
)
BRACES = Rule("FT-406", "Braces around the name of a column are not doubled.")

OF_KIND = {
    NoticeKind.BLANK: BLANK,
    NoticeKind.WHOLE: WHOLE,
    NoticeKind.TOKENS: TOKENS,
    NoticeKind.BRACES: BRACES,
}
"""The rule of each kind of notice."""
