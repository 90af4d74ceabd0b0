"""Checks of a job's rows and templates that need no text of a row."""

from datasets import Dataset

from chassis.prompt_rules import OF_KIND
from chassis.rpc.findings import ERROR, WARNING, Findings
from ft.prompts.notices import notices
from rows import templates
from services.inspection import rules
from services.inspection.data.rows import JobRows
from services.inspection.model.tokenizer import ModelTokenizer
from services.inspection.settings import JobSettings, number


def check_templates(
    settings: JobSettings, rows: Dataset, tokenizer: ModelTokenizer | None, findings: Findings
) -> None:
    """Warns about what the prompt's templates are likely to do with the model's tokenizer."""
    tokens = tokenizer.special_tokens() if tokenizer else None
    of_prompt = templates.of(settings.request.prompt)
    for one in notices(of_prompt, rows.column_names, tokens):
        findings.add(WARNING, "prompt_id", OF_KIND[one.kind], f"{one.field} {one.text}")


def check_evaluations(settings: JobSettings, rows: JobRows, findings: Findings) -> None:
    """Refuses evaluations during the training that have no rows."""
    strategy = settings.training.get("eval_strategy") or "no"
    if strategy != "no" and len(rows.held_out) == 0:
        description = (
            f"eval_strategy is {strategy}, but no row is held out from the training: set "
            "train_test_split below 1, or eval_strategy to no"
        )
        findings.add(ERROR, "dataset_id", rules.EVALUATED, description)


def check_batches(settings: JobSettings, rows: JobRows, findings: Findings) -> None:
    """Refuses rows that do not fill a batch where only full batches are kept."""
    training = settings.training
    if not training.get("dataloader_drop_last"):
        return
    counted = {}
    if not training.get("packing"):
        counted["per_device_train_batch_size"] = (len(rows.used), "to train on")
    evaluates = (training.get("eval_strategy") or "no") != "no"
    packed = training.get("eval_packing") or training.get("packing")
    if evaluates and len(rows.held_out) and not packed:
        counted["per_device_eval_batch_size"] = (len(rows.held_out), "that are held out")
    for name, (count, which) in counted.items():
        batch = number(training, name, 8) * max(settings.request.num_workers, 1)
        if count < batch:
            description = (
                f"dataloader_drop_last leaves out every row: {count} rows {which} do not fill a "
                f"batch of {batch} ({name} times workers); set {name} lower"
            )
            findings.add(ERROR, "training_arguments_config", rules.IN_THE_MODEL, description)


def check_answers(rows: JobRows, findings: Findings) -> None:
    """Warns about conversations that an evaluation leaves out."""
    if count := rows.unanswered:
        description = (
            f"{count} of {len(rows.held_out)} held-out conversations are left out: they do not end "
            "with an assistant's answer to another message, or that answer has weight 0"
        )
        findings.add(WARNING, "dataset_id", rules.ANSWERED, description, count)
