"""Tokens of a text in any script, for scores that count what two texts have in common.

`rouge_score` splits at everything but a-z and 0-9, which leaves nothing of Thai or Russian, and
cuts `Größe` into `gr` and `e`. In ASCII text the tokens here are the same as there.
"""

import unicodedata

import regex

_UNSPACED_SCRIPTS = (
    *("Thai", "Laoo", "Khmr", "Mymr", "Lana", "Tale", "Talu", "Tavt", "Cham", "Java", "Bali"),
    *("Hani", "Hira", "Kana", "Bopo", "Yiii", "Tang", "Nshu", "Kits"),
)
"""Scripts that put no blanks between words. Which words a run of them has takes a dictionary, so
each character counts as a token, as is usual for Chinese and Japanese."""
_UNSPACED = "".join(rf"\p{{scx={script}}}" for script in _UNSPACED_SCRIPTS)
_CHARACTER = rf"(?=[[{_UNSPACED}]&&[\p{{L}}\p{{M}}\p{{Nl}}]])\X"
"""One of those, with all its marks."""
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[[{_UNSPACED}]&&[\p{{L}}\p{{Nl}}]]]+"
_TOKEN = regex.compile(f"(?V1){_CHARACTER}|{_WORD}")
_INVISIBLE = regex.compile(r"(?V1)[\p{Cf}--[\u200B]]")
"""Soft hyphens, joiners and marks of direction: they divide no word and are no part of one."""


class WordTokenizer:
    """Splits texts as `rouge_score` asks of a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        """The words, without regard to case; what is neither letter, mark nor number divides them.

        Texts that Unicode calls canonically equivalent (NFC) have the same tokens. Compatibility
        characters stay what they are: `10²` is not `102`. Case is folded as Unicode does for
        comparing: `ß` is `ss`.
        """
        found: list[str] = _TOKEN.findall(_folded(text))
        return found


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", composed.casefold())
