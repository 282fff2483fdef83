"""A corpus folder of eight short documents in eight scripts, and a vocabulary trained on it once."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import sentencepiece

from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

# Written for these tests; each is one document, its lines are paragraphs.
DOCUMENTS = {
    "ar": "في الصباح يفتح الخباز باب الدكان.\nرائحة الخبز تملأ الشارع كله.\nالأطفال يشترون الخبز قبل المدرسة.",
    "el": "Το πρωί ο φούρναρης ανοίγει την πόρτα.\nΗ μυρωδιά του ψωμιού γεμίζει τον δρόμο.\nΤα παιδιά αγοράζουν ψωμί.",
    "en": "In the morning the baker opens the door.\nThe smell of the bread fills the street.\nThe children buy bread.",
    "hi": "सुबह बेकर दुकान का दरवाज़ा खोलता है।\nरोटी की खुशबू पूरी गली में भर जाती है।\nबच्चे स्कूल से पहले रोटी खरीदते हैं।",
    "ko": "아침에 빵집 주인이 문을 연다.\n빵 냄새가 온 거리에 가득하다.\n아이들은 학교에 가기 전에 빵을 산다.",
    "ru": "Утром пекарь открывает дверь.\nЗапах хлеба наполняет всю улицу.\nДети покупают хлеб перед школой.",
    "th": "ตอนเช้าคนทำขนมปังเปิดประตูร้าน\nกลิ่นขนมปังหอมไปทั้งถนน\nเด็กๆซื้อขนมปังก่อนไปโรงเรียน",
    "zh-Hans": "早上面包师打开店门。\n面包的香味充满整条街。\n孩子们上学以前买面包。",
}
# More scripts for comparisons with other implementations; the last ones fold under NFKC or are only partly known.
PROBES = (
    *DOCUMENTS.values(),
    "אני קורא ספר בבוקר.",
    "আমি সকালে বই পড়ি।",
    "நான் காலையில் புத்தகம் படிக்கிறேன்.",
    "నేను ఉదయం పుస్తకం చదువుతాను.",
    "朝、パン屋さんがドアを開けます。",
    "დილით მცხობელი კარს აღებს.",
    "Առավոտյան հացթուխը բացում է դուռը։",
    "ጠዋት ላይ ዳቦ ጋጋሪው በሩን ይከፍታል።",
    "  The ﬁrst ½ of the ＡＢＣ  costs 10 €…\u00a0 ",
    "e\u0301 é Å \u212b \u0e33 ㈱",
    "",
)
SIZE = 240


@pytest.fixture(scope="session")
def documents() -> Mapping[str, str]:
    """One document a language, in eight scripts."""
    return DOCUMENTS


@pytest.fixture(scope="session")
def probes() -> Sequence[str]:
    """Texts in sixteen scripts, some of them strange to the vocabulary."""
    return PROBES


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    """The corpus folder of the eight documents."""
    return write_corpus(tmp_path_factory.mktemp("eight") / "corpus", {code: [text] for code, text in DOCUMENTS.items()})


@pytest.fixture(scope="session")
def vocab_folder(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """A vocabulary of the eight documents, every character of them known."""
    folder = tmp_path_factory.mktemp("eight") / "vocab"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=SIZE, character_coverage=1.0))
    return folder


@pytest.fixture(scope="session")
def vocabulary(vocab_folder: Path) -> Vocabulary:
    """The vocabulary of the eight documents."""
    return Vocabulary.load(vocab_folder)


@pytest.fixture(scope="session")
def other_models() -> tuple[bytes, bytes]:
    """Two SentencePiece models of other text: one with the default ids, one with fairseq's, the common mistake."""

    def train(**ids: int) -> bytes:
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a strange model", "of strange lines", "strangely lined models"]),
            model_writer=model,
            vocab_size=21,
            minloglevel=2,
            **ids,
        )
        return model.getvalue()

    return train(), train(bos_id=0, pad_id=1, eos_id=2, unk_id=3)
