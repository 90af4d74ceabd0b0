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


def test_every_rpc_has_an_example_and_its_errors() -> None:
    assert sorted(generate.example_parts()) == sorted(RPCS)
    assert sorted(SAID) == sorted(RPCS)


def test_every_rule_has_an_id_of_its_own() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"FT-\d{3}", id) for id in ids)


def test_every_module_of_rules_is_documented() -> None:
    files = {*REPOSITORY.glob("services/*/rules.py"), *REPOSITORY.glob("shared/**/rules.py")}
    modules = {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removeprefix("shared.")
        for file in files
    }
    assert modules == set(generate.RULES)


def test_rules_that_rpcs_name_exist() -> None:
    known = {rule.id for rule in RULES}
    assert {rule for said in SAID.values() for rule in said.get("rules", ())} <= known
