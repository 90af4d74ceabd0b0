"""docs/api.md and docs/rules.md cover what the code has."""

import re
import sys
import tomllib

from ft.services import METHODS
from tests.support import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "docs"))
import generate

RPCS = list(METHODS)
RULES = [rule for module in generate.RULES for rule in generate.rules_of(module)]
SAID = tomllib.loads((REPOSITORY / "docs/api/errors.toml").read_text())


def test_rpcs_each_have_an_example_and_their_errors() -> None:
    assert sorted(generate.example_parts()) == sorted(RPCS)
    assert sorted(SAID) == sorted(RPCS)


def test_rule_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"FT-\d{3}", id) for id in ids)


def test_rule_modules_are_all_documented() -> None:
    files = {*REPOSITORY.glob("services/*/rules.py"), *REPOSITORY.glob("shared/**/rules.py")}
    modules = {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removeprefix("shared.")
        for file in files
    }
    assert modules == set(generate.RULES)


def test_rules_named_by_rpcs_exist() -> None:
    known = {rule.id for rule in RULES}
    assert {rule for said in SAID.values() for rule in said.get("rules", ())} <= known
