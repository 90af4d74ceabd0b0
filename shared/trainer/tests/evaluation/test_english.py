"""Detection of English texts."""

# letters of every script

import pytest

from trainer.evaluation import english


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel is on its way to you.", True),
        ("Please cancel my order", True),
        ("I am in a hurry", True),
        ("Ihre Bestellung wurde storniert, bitte warten Sie.", False),
        ("Votre commande est en route", False),
        ("El pedido está en camino", False),
        ("Il pacco è in arrivo", False),
        ("Het pakket is onderweg naar u", False),
        ("Paczka jest już w drodze do pana", False),
        ("Saya mau membatalkan pesanan ini", False),
        ("Стоимость доставки", False),
        ("สวัสดีครับ", False),
        ("东京", False),
        ("cancel_order", None),
        ("👍", None),
        ("", None),
    ],
)
def test_text_alone_is_recognised_as_english_or_not(text: str, expected: bool | None) -> None:
    assert english.is_english(text) is expected


def test_ambiguous_text_follows_the_majority() -> None:
    assert english.detect(["stornieren"], ["Die Antwort ist nein.", "Der Hund"]) == [False]
    assert english.detect(["cancel"], ["The answer is no."]) == [True]
    assert english.detect(["cancel_order"]) == [True]
