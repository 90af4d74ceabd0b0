"""Tokens of texts in any script, and scores of texts that are the same."""

# ruff: noqa: RUF001  # letters of every script

import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from trainer.evaluation.scores import OVERLAPS
from trainer.evaluation.word_tokenizer import WordTokenizer

TOKENIZER = WordTokenizer()
SCORER = RougeScorer(list(OVERLAPS), tokenizer=TOKENIZER)
SCRIPTS = {
    "ascii": "abcXYZ019 _-'.\n",
    "german": "äöüßÄÖabc \n",
    "russian": "абвгдежзЯЮё \n",
    "greek": "αβγδςσΣΏώ \n",
    "thai": "กขคงาิีึืุูเแโไ่้๊๋์ำ๑๒ \n",
    "lao": "ກຂຄງາິີຶເແໂໄ່້ \n",
    "khmer": "កខគឃងាិីឹឺុូួើ្ \n",
    "myanmar": "ကခဂဃငါာိီုူေ်္ \n",
    "hindi": "कखगघाििीुूेैोौ्ंँ़ \n",
    "tamil": "கஙசாிீுூெே் \n",
    "arabic": "ابتثجحخدًٌٍَُِّ \u200c\n",
    "hebrew": "אבגדהוְֱֲִֵֶ \n",
    "chinese": "中文测试漢字，。 \n",
    "japanese": "あいうエオーかがデータ漢字「」 \n",
    "korean": "한국어텍스트가나다 \n",
    "marks": "e\u0301o\u0308n\u0303c\u0327 \n",
    "mixed": "aé中กк한अ😀👍 _\n",
}
texts = st.sampled_from(sorted(SCRIPTS)).flatmap(
    lambda name: st.text(alphabet=SCRIPTS[name], min_size=1, max_size=40)
)
any_text = st.one_of(texts, st.text(max_size=40))


def scores(expected: str, output: str) -> dict[str, float]:
    return {name: score.fmeasure for name, score in SCORER.score(expected, output).items()}


@settings(max_examples=300, deadline=None)
@given(any_text)
def test_text_scores_1_against_itself(text: str) -> None:
    if TOKENIZER.tokenize(text):
        assert scores(text, text) == pytest.approx(dict.fromkeys(OVERLAPS, 1.0))


@settings(max_examples=200, deadline=None)
@given(any_text, any_text)
def test_scores_are_from_0_to_1_and_the_same_the_other_way_round(one: str, other: str) -> None:
    there, back = scores(one, other), scores(other, one)
    assert all(0 <= score <= 1.0000001 for score in there.values())
    for name in ("rouge1", "rougeL"):
        assert there[name] == pytest.approx(back[name])


@settings(max_examples=300, deadline=None)
@given(any_text)
def test_letters_digits_and_marks_never_vanish(text: str) -> None:
    kept = "".join(TOKENIZER.tokenize(text))
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    wanted = [c for c in folded if unicodedata.category(c)[0] in "LMN"]
    # The library's Unicode may be newer than Python's, and know more letters.
    kept_parts = Counter(unicodedata.normalize("NFD", kept))
    assert not Counter(unicodedata.normalize("NFD", "".join(wanted))) - kept_parts


@settings(max_examples=200, deadline=None)
@given(any_text)
def test_canonical_equivalents_and_another_case_are_the_same(text: str) -> None:
    tokens = TOKENIZER.tokenize(text)
    assert TOKENIZER.tokenize(unicodedata.normalize("NFD", text)) == tokens
    assert TOKENIZER.tokenize(text.casefold()) == tokens


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_ascii_has_the_tokens_that_it_always_had(text: str) -> None:
    assert TOKENIZER.tokenize(text) == DefaultTokenizer(use_stemmer=False).tokenize(text)


@pytest.mark.parametrize(
    ("expected", "output", "score"),
    [
        ("Größe", "Große", 0.0),
        ("Größe", "GRÖSSE", 1.0),
        ("Привет, мир", "привет мир!", 1.0),
        ("สวัสดี", "สวัสดี", 1.0),
        ("สวัสดี", "สวัสติ", 0.75),
        ("东京塔", "东京", 0.8),
        ("हिन्दी भाषा", "हिन्दी", 2 / 3),
        ("cancel_ticket", "cancel_order", 0.5),
        ("10²", "102", 0.0),
        ("Stra\u00adße\u200e", "straße", 1.0),
        ("ໄປ", "ไป", 0.0),
    ],
)
def test_words_that_differ_in_a_letter_differ(expected: str, output: str, score: float) -> None:
    assert scores(expected, output)["rouge1"] == pytest.approx(score)


def test_sentences_of_rouge_lsum_are_lines() -> None:
    assert scores("а б\nв г", "в г\nа б")["rougeLsum"] == 1.0
    assert scores("а б\nв г", "в г\nа б")["rougeL"] == 0.5
