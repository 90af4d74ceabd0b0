"""The rules about the data, model and settings of a job, in addition to those of its request."""

from chassis.rpc.rules import Rule

READABLE = Rule("FT-851", "Data can be read by the reader that jobs use.")
COLUMNS = Rule("FT-852", "Each placeholder of a prompt is a column of the dataset.")
ROWS_LEFT = Rule("FT-853", "The shares leave rows to train on, or to score.")
FILLED = Rule("FT-854", "A prompt's template can be filled with every row.")
NOT_BLANK = Rule(
    "FT-855",
    "A row has a value in a column that the prompt uses, and makes a text that is not blank.",
)
PLAIN_VALUES = Rule(
    "FT-856",
    "A column that a template uses contains no lists or objects. A list or an object is written "
    "as JSON.",
)
FITS = Rule("FT-857", "A row has at most as many tokens as the model and the settings take.")
COUNTABLE = Rule("FT-858", "A tokenizer comes as tokenizer.json, so that tokens can be counted.")
PAD_TOKEN = Rule("FT-859", "A tokenizer has a pad token distinct from its end-of-text token.")
"""If it has none, the end-of-text token pads, masked by position. A notice reports that."""
APART = Rule("FT-860", "No text that is trained on is also held out.")
STEPS = Rule(
    "FT-861",
    "Rows are not packed, so that the number of steps can be computed before the training.",
)
MODEL_FILES = Rule("FT-862", "The base model's files exist, and show its size.")
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
    "FT-873",
    "If only answers are trained on, the rows are conversations whose chat template marks the "
    "answers.",
)
ANSWERS_FIT = Rule(
    "FT-896",
    "An evaluation lets the model write at least as many tokens as the longest expected answer "
    "has.",
)
WRITTEN = Rule(
    "FT-886",
    "A chat template writes every part of a conversation, and each role as it is. No answer is "
    "empty.",
)
ANSWERED = Rule("FT-640", "A conversation that is evaluated ends with an assistant's answer.")
WEIGHTS = Rule(
    "FT-890",
    "The files of a base model are complete and contain each weight that config.json describes, "
    "in the shape that it describes.",
)
EMBEDDED = Rule(
    "FT-891", "The embedding of a base model has a row for each token that the model is given."
)
LEARNED = Rule(
    "FT-892", "Each row that is trained on has something to learn within the context length."
)
ADAPTERS = Rule(
    "FT-893",
    "The files of an adapter are complete, its weights are finite, and they fit the base model "
    "that the adapter is used with.",
)
TARGETS = Rule("FT-874", "The adapter's target_modules name linear layers of the base model.")
AS_WRITTEN = Rule(
    "FT-880", "A file is UTF-8 text, and the cells of a CSV file are separated by commas."
)
PRESENT = Rule(
    "FT-881",
    "A row has a value in each column that the template uses. A value that is null or absent is "
    "filled in as an empty text.",
)
ANSWER_TEXT = Rule(
    "FT-133",
    "A row has a text that is not blank in each column that the completion_template takes.",
)
IN_THE_MODEL = Rule(
    "FT-895", "The modules, layers, tokens and numbers of rows that settings name exist."
)
STEPS_FIT = Rule(
    "FT-818", "The numbers of steps in the settings fit the number of steps that the rows give."
)
