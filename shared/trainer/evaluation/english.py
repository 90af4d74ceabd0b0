"""Heuristic detection of English texts, for metrics that are defined for English only.

A text is English if nine of ten letters are from A to Z and it has at least as many of English's
most frequent words as of any other language below. A text without a frequent word, such as a label,
is classified like most other texts of the same evaluation.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

LATIN_SHARE = 0.9
_WORD = re.compile(r"[^\W\d_]+")
ENGLISH = "English"
_FREQUENT = {
    ENGLISH: "the of and to is that it for was on are as with his they be at this have from or had "
    "by but not what all were we when your can said there use an each which she do how their if "
    "will up other about out many then them these so some her would make like him into has more "
    "no could my than been who its now did get you please our i a in he",
    "German": "der die das und ist nicht ich ein eine einen einem einer zu den dem des mit "
    "sich auf "
    "für von sie wir ihr es im auch als an nach wie bei oder aber wenn noch nur kann wird sind "
    "war haben hat ihre mein meine bitte bin sein zum zur aus um so was in er",
    "French": "le la les et est un une des du de que qui dans pour pas sur au aux avec ce cette "
    "ces je vous nous il elle ne se plus par mais ou sont votre notre mon ma son sa être "
    "en à ont si",
    "Spanish": "el la los las y es un una de del que en no se por con para su al lo como más pero "
    "sus le ya este esta sí porque mi yo tu hay muy sin sobre me está son o a",
    "Italian": "il lo la gli e è un una di del della che in non si per con da al sono come più ma "
    "suo mi ti ci questo questa anche ho ha nel alla dei delle i le a",
    "Portuguese": "o a os as e é um uma de do da dos das que em não se por com para no na ao mais "
    "mas seu sua como foi você eu meu minha está são ou",
    "Dutch": "de het een en van is dat niet ik je in op te voor met zijn die er aan ook als maar "
    "bij om naar dan nog wat uit kan mijn u wij hebben heeft deze wordt over of",
    "Scandinavian": "og i det som på er en et til av for at med de ikke den har om var jeg der "
    "men sig han kan fra ved och att är inte jag ett på som för men din min mitt du vi",
    "Polish": "i w na nie się z do to że jest o jak po co tak za od ale już czy ja mój przez dla "
    "są było być tym tego proszę",
    "Turkish": "ve bir bu da de için ile çok ne mi var daha gibi ama ben o olarak kadar değil en",
    "Indonesian": "yang dan di dari untuk dengan ini itu pada adalah tidak saya ke akan ada atau "
    "bisa dalam anda juga sudah kami mereka",
    "Romanian": "și este nu de la un o pe cu din în pentru care mai ce sau dar sunt al am să",
    "Czech": "a je se na v že to s z do o k i jako ale jsem by jsou není pro po od",
    "Finnish": "ja on ei että se hän en mutta kun niin ovat tämä oli kuin minä mitä jos joka",
    "Hungarian": "a az és nem hogy is egy van meg de ez el csak azt mint volt ha már vagy",
}
_LANGUAGES = {name: frozenset(words.split()) for name, words in _FREQUENT.items()}


def detect(texts: Sequence[str], also: Iterable[str] = ()) -> list[bool]:
    """Tells for each text whether it is English.

    `also` are more texts of the same evaluation; they count where a text alone gives no answer.
    """
    found = [is_english(text) for text in texts]
    counted = Counter(found) + Counter(is_english(text) for text in also)
    usual = counted[True] >= counted[False]
    return [usual if one is None else one for one in found]


def is_english(text: str) -> bool | None:
    """Tells whether a text is English; None if it has no frequent word of any language."""
    letters = [c for c in unicodedata.normalize("NFC", text) if c.isalpha()]
    if sum(c.isascii() for c in letters) < LATIN_SHARE * len(letters):
        return False
    words = Counter(word.casefold() for word in _WORD.findall(text))
    found = {
        name: sum(count for word, count in words.items() if word in frequent)
        for name, frequent in _LANGUAGES.items()
    }
    most = max(found.values())
    return found[ENGLISH] == most if most else None
