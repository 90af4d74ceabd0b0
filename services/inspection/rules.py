"""What a job is looked at for, beside the rules of its request."""

from chassis.rules import Rule

READABLE = Rule("FT-851", "Data can be read by the reader that jobs read it with.")
COLUMNS = Rule("FT-852", "Each placeholder of a prompt is a column of the dataset.")
ROWS_LEFT = Rule("FT-853", "The shares leave rows to train on, or to score.")
FILLED = Rule("FT-854", "A prompt's template can be filled with every row.")
NOT_BLANK = Rule("FT-855", "A row gives the prompt something to say.")
PLAIN_VALUES = Rule(
    "FT-856",
    "A value that a template takes is no list and no object; one that is, is written as JSON.",
)
FITS = Rule("FT-857", "A row has at most as many tokens as the model and the settings take.")
COUNTABLE = Rule("FT-858", "A tokenizer comes as tokenizer.json, so that tokens can be counted.")
PAD_TOKEN = Rule("FT-859", "A tokenizer has a pad token distinct from its end-of-text token.")
"""Where it does not hold, the end of the text pads, and is masked by position: that is told."""
APART = Rule("FT-860", "No text that is trained on is also held out.")
STEPS = Rule("FT-861", "Rows are not packed, so that steps can be told before the training.")
MODEL_FILES = Rule("FT-862", "The base model's files are there, and tell its size.")
MEMORY = Rule("FT-863", "A worker has as much memory as its job is expected to need.")
EVALUATED = Rule("FT-870", "Evaluations during a training have rows that are held out.")
CHAT_TEMPLATE = Rule(
    "FT-871",
    "Conversations are trained on and evaluated with a tokenizer that has a chat template.",
)
TEMPLATE_PATH = Rule(
    "FT-131",
    "chat_template_path names a .jinja file of the project, or a tokenizer in a directory of the "
    "project or on the hub.",
)
CONVERSATIONS = Rule(
    "FT-872", "Each row of a column of conversations has messages that the chat template takes."
)
ANSWERS = Rule(
    "FT-873", "Answers are trained on alone in conversations whose chat template marks them."
)
ANSWERS_FIT = Rule(
    "FT-896", "An evaluation lets the model write as many tokens as the expected answers have."
)
WRITTEN = Rule(
    "FT-886",
    "A chat template writes all that a conversation has, each role as itself, and no answer is "
    "empty.",
)
ANSWERED = Rule("FT-640", "A conversation that is evaluated ends with an assistant's answer.")
WEIGHTS = Rule(
    "FT-890",
    "The files of a base model are whole, and hold each weight that its config.json speaks of, in "
    "its shape.",
)
EMBEDDED = Rule("FT-891", "Each token that is given to a base model has a row in its embedding.")
LEARNED = Rule("FT-892", "Of a row that is trained on, something to learn is within the context.")
ADAPTERS = Rule(
    "FT-893",
    "The files of an adapter are whole and finite, and its weights are of the base model that they "
    "are put on.",
)
TARGETS = Rule("FT-874", "The adapter's target_modules name linear layers of the base model.")
AS_WRITTEN = Rule(
    "FT-880",
    "A file is text in UTF-8, with commas between the cells of a CSV, so that it needs no "
    "explanation how it is read.",
)
PRESENT = Rule(
    "FT-881",
    "A row has a value in each column that the template takes; one that is null or absent is "
    "filled as an empty text.",
)
ANSWER_TEXT = Rule(
    "FT-133",
    "A row has a text that is not blank in each column that the completion_template takes.",
)
IN_THE_MODEL = Rule(
    "FT-895",
    "The modules, layers, tokens and numbers of rows that settings name are there.",
)
STEPS_FIT = Rule(
    "FT-818", "The numbers of steps that settings name go with those that the rows make."
)
