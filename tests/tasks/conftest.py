"""A small real vocabulary for the tests of tasks, trained on a few lines in several scripts."""

import io

import pytest
import sentencepiece

from isogloss.vocab import Vocabulary

LINES = [
    "Anna lives in Oslo and works for the Red Cross .",
    "Where does Anna live? She lives in a small house near the river.",
    "Ana anaishi Oslo na anafanya kazi kwa Msalaba Mwekundu.",
    "安娜住在奥斯陆，她在红十字会工作。北京大学在北京。",
    "แอนนาอาศัยอยู่ในออสโลและทำงานให้กับสภากาชาด",
    "東京の大学で働いています。",
    "آنا تعيش في أوسلو وتعمل في الصليب الأحمر",
    "अन्ना ओस्लो में रहती है और रेड क्रॉस में काम करती है।",
]


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 20),
        model_writer=model,
        vocab_size=300,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return Vocabulary.from_bytes(model.getvalue())
