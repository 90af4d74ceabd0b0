"""Tokens of a text in any script, for scores of the overlap of two texts.

`rouge_score` splits at everything but a-z and 0-9, which leaves nothing of Thai or Russian, and
cuts `Größe` into `gr` and `e`. For ASCII text the tokens here are the same.
"""

import unicodedata

import regex

_UNSPACED_SCRIPTS = (
    *("Thai", "Laoo", "Khmr", "Mymr", "Lana", "Tale", "Talu", "Tavt", "Cham", "Java", "Bali"),
    *("Hani", "Hira", "Kana", "Bopo", "Yiii", "Tang", "Nshu", "Kits"),
)
"""Scripts without blanks between words. Finding their words takes a dictionary, so each character
counts as a token, as is usual for Chinese and Japanese."""
_UNSPACED = "".join(rf"\p{{scx={script}}}" for script in _UNSPACED_SCRIPTS)
_CHARACTER = rf"(?=[[{_UNSPACED}]&&[\p{{L}}\p{{M}}\p{{Nl}}]])\X"
"""A character of these scripts, with all its marks."""
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[[{_UNSPACED}]&&[\p{{L}}\p{{Nl}}]]]+"
_TOKEN = regex.compile(f"(?V1){_CHARACTER}|{_WORD}")
_INVISIBLE = regex.compile(r"(?V1)[\p{Cf}--[\u200B]]")
"""Soft hyphens, joiners and marks of direction, which neither divide words nor belong to them."""


class WordTokenizer:
    """A tokenizer for `rouge_score`."""

    def tokenize(self, text: str) -> list[str]:
        """The words in lower case; everything but letters, marks and numbers divides them.

        Texts that Unicode calls canonically equivalent (NFC) have the same tokens. Compatibility
        characters are unchanged: `10²` is not `102`. Case is folded as Unicode does for comparison:
        `ß` is `ss`.
        """
        composed = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
        folded = unicodedata.normalize("NFC", composed.casefold())
        found: list[str] = _TOKEN.findall(folded)
        return found
