"""Comparison of outputs with earlier outputs."""

import pytest

from trainer.errors import ModelError
from trainer.export.parity import Parity


def test_first_difference_is_reported() -> None:
    parity = Parity(["one", "two"], {}, ["1", "2"])
    parity.require(["1", "2"])
    with pytest.raises(ModelError, match="after 'two' it writes '3', not '2'"):
        parity.require(["1", "3"])
    with pytest.raises(ModelError, match="2 prompts with 1 texts"):
        parity.require(["1"])
