"""The texts a vocabulary is checked on: one or more in each of many scripts, and traps that tokenizers fall into.

    for probe in all_probes():
        probe.script, probe.name, probe.text     # 'Taml', 'Tamil', 'காலையில் …'

The sentences are our own. For scripts that none of us writes, the probe is two words of the script's letters in the
order of Unicode: no language, but the very characters that a table or an offset gets wrong. Scripts go by their code
of ISO 15924; traps that belong to none are 'Zyyy', its code for what scripts share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LONG_LINE", "Probe", "all_probes"]


@dataclass(frozen=True)
class Probe:
    """One text to compare; ``special`` where pieces such as ``<mask>`` are spelt in it."""

    script: str
    name: str
    text: str
    special: bool = False


LONG_LINE = "line of 1 MB without spaces"
LONG_LINE_BYTES = 1_000_000

# (script, the name by which Unicode calls its characters, text)
SENTENCES = (
    ("Latn", "Latin", "In the morning the baker opens the door; the smell of bread fills the street."),
    ("Latn", "Latin", "Buổi sáng, người thợ mở cửa và mùi bánh mì thơm khắp phố."),
    ("Latn", "Latin", "Sabah ekmekçi kapıyı açar, İstanbul'un ışıkları söner; ğ, ş, ı, İ."),
    ("Latn", "Latin", "Þær búa við sjóinn; łódź płynie, žluťoučký kůň, ẹ̀kọ́, ʻōlelo."),
    ("Cyrl", "Cyrillic", "Утром пекарь открывает дверь, и запах хлеба наполняет всю улицу."),
    ("Cyrl", "Cyrillic", "Ранком її ґанок і під'їзд; ұлы өзен, ӣ ӯ ҳ ҷ, Ѣ ѳ."),
    ("Grek", "Greek", "Το πρωί ο φούρναρης ανοίγει την πόρτα. Ἐν ἀρχῇ ἦν ὁ ἄρτος· ᾧ ΐ."),
    ("Armn", "Armenian", "Առավոտյան հացթուխը բացում է դուռը, և հացի բույրը լցնում է փողոցը։"),
    ("Geor", "Georgian", "დილით მცხობელი კარს აღებს და პურის სუნი ავსებს ქუჩას."),
    ("Hebr", "Hebrew", "בבוקר האופה פותח את הדלת. שָׁלוֹם, לֶחֶם־חַם וְעוֹד."),
    ("Arab", "Arabic", "في الصباح يفتح الخباز باب الدكان، ورائحةُ الخُبْزِ تملأُ الشارع."),
    ("Arab", "Arabic", "صبح نانوا در را باز می‌کند و بوی نان کوچه را پر می‌کند؛ ۱۲۳."),
    ("Arab", "Arabic", "صبح نانبائی دکان کا دروازہ کھولتا ہے، ڈھائی روٹیاں؟"),
    ("Arab", "Arabic", "ئەتىگەندە ناۋاي ئىشىكنى ئاچىدۇ. سهار کښې ډوډۍ."),
    ("Syrc", "Syriac", "ܒܨܦܪܐ ܠܚܡܐ ܚܡܝܡܐ ܒܒܝܬܐ ܫܠܵܡܵܐ"),
    ("Thaa", "Thaana", "ހެނދުނު ރޮށި ކައްކާ މީހާ ދޮރު ހުޅުވައެވެ"),
    ("Nkoo", "Nko", "ߒߞߏ ߛߓߍ ߓߎ߬ߙߎ ߛߐ߲߬ߡߊ"),
    ("Deva", "Devanagari", "सुबह बेकर दुकान का दरवाज़ा खोलता है; रोटी की ख़ुशबू गली में भर जाती है।"),
    ("Deva", "Devanagari", "सकाळी बेकर दार उघडतो. क्षत्रियः त्र्यम्बकं श्रीः ॐ"),
    ("Beng", "Bengali", "সকালে রুটিওয়ালা দোকানের দরজা খোলে; রুটির গন্ধে রাস্তা ভরে যায়। ক্ষ ৎ ড়"),
    ("Guru", "Gurmukhi", "ਸਵੇਰੇ ਨਾਨਬਾਈ ਦਰਵਾਜ਼ਾ ਖੋਲ੍ਹਦਾ ਹੈ, ਰੋਟੀ ਦੀ ਖ਼ੁਸ਼ਬੂ।"),
    ("Gujr", "Gujarati", "સવારે બેકર દુકાનનો દરવાજો ખોલે છે, બ્રેડની સુગંધ."),
    ("Orya", "Oriya", "ସକାଳେ ରୁଟିବାଲା ଦୋକାନର ଦୁଆର ଖୋଲେ। ଡ଼ ଢ଼ କ୍ଷ"),
    ("Taml", "Tamil", "காலையில் ரொட்டிக்காரர் கதவைத் திறக்கிறார்; க்ஷ ஸ்ரீ கொ கோ கௌ."),
    ("Telu", "Telugu", "ఉదయం రొట్టెలవాడు తలుపు తెరుస్తాడు; వీధి నిండా వాసన."),
    ("Knda", "Kannada", "ಬೆಳಿಗ್ಗೆ ಬೇಕರಿಯವನು ಬಾಗಿಲು ತೆರೆಯುತ್ತಾನೆ; ಕೊಂಡ ಕೋಣ."),
    ("Mlym", "Malayalam", "രാവിലെ ബേക്കറിക്കാരൻ വാതിൽ തുറക്കുന്നു; കൊടി കോടി പൗരൻ."),
    ("Sinh", "Sinhala", "උදේ බේකරිකරු දොර අරියි; ශ්‍රී ලංකා ක්‍රමය."),
    ("Thai", "Thai", "ตอนเช้าคนทำขนมปังเปิดประตูร้าน น้ำร้อนกำลังดี กลิ่นหอมไปทั้งถนน"),
    ("Laoo", "Lao", "ຕອນເຊົ້າຄົນເຮັດເຂົ້າຈີ່ເປີດປະຕູ ນ້ຳຮ້ອນ ໜ້າ ຫຼາຍ"),
    ("Mymr", "Myanmar", "မနက်မှာ မုန့်ဖုတ်သမားက တံခါးဖွင့်တယ်။ ကျွန်တော် သတ္တဝါ"),
    ("Khmr", "Khmer", "នៅពេលព្រឹក អ្នកធ្វើនំប៉័ងបើកទ្វារ ក្លិននំប៉័ងពេញផ្លូវ។"),
    ("Tibt", "Tibetan", "ཞོགས་པར་བག་ལེབ་མཁན་གྱིས་སྒོ་འབྱེད། རྒྱུ་ ཨོཾ ྂ"),
    ("Ethi", "Ethiopic", "ጠዋት ላይ ዳቦ ጋጋሪው በሩን ይከፍታል። የዳቦ ሽታ መንገዱን ይሞላል፡፡"),
    ("Hang", "Hangul", "아침에 빵집 주인이 문을 연다. 빵 냄새가 온 거리에 가득하다."),
    ("Hans", "CJK", "早上面包师打开店门，面包的香味充满整条街。"),
    ("Hant", "CJK", "早上麵包師打開店門，麵包的香味充滿整條街；𠮷野家、𡃁仔。"),
    ("Jpan", "Hiragana", "朝、パン屋さんがドアを開けます。「いい匂い」と言った々ヶ月。"),
    ("Kana", "Katakana", "コンピューターヴァイオリンー・ッ"),
    ("Bopo", "Bopomofo", "ㄓㄨˋ ㄧㄣ ㄈㄨˊ ㄏㄠˋ"),
    ("Mong", "Mongolian", "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ ᠲᠠᠯᠬᠠ"),
    ("Cher", "Cherokee", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭰꮃ"),
    ("Cans", "Canadian Syllabics", "ᐃᓄᒃᑎᑐᑦ ᐅᓪᓛᒃᑯᑦ ᓂᕆᔪᖅ"),
    ("Tfng", "Tifinagh", "ⵜⴰⵎⴰⵣⵉⵖⵜ ⴰⵖⵔⵓⵎ ⵉⵙⵎⴷ"),
    ("Copt", "Coptic", "ⲡⲟⲉⲓⲕ ϩⲙ ⲡⲏⲓ"),
    ("Runr", "Runic", "ᚠᚢᚦᚨᚱᚲ ᚺᚾᛁᛃ"),
    ("Ogam", "Ogham", "ᚁᚂᚃ ᚄᚅᚆ"),
)

# (script, the name by which Unicode calls its characters, its first letter): two words of five and four letters.
LETTERS = (
    ("Java", "Javanese", 0xA98F),
    ("Bali", "Balinese", 0x1B13),
    ("Sund", "Sundanese", 0x1B8A),
    ("Batk", "Batak", 0x1BC0),
    ("Bugi", "Buginese", 0x1A00),
    ("Olck", "Ol Chiki", 0x1C5A),
    ("Lepc", "Lepcha", 0x1C00),
    ("Limb", "Limbu", 0x1901),
    ("Lana", "Tai Tham", 0x1A20),
    ("Tale", "Tai Le", 0x1950),
    ("Talu", "New Tai Lue", 0x1980),
    ("Cham", "Cham", 0xAA00),
    ("Mtei", "Meetei Mayek", 0xABC0),
    ("Lisu", "Lisu", 0xA4D0),
    ("Vaii", "Vai", 0xA500),
    ("Yiii", "Yi", 0xA000),
    ("Tglg", "Tagalog", 0x1703),
    ("Glag", "Glagolitic", 0x2C30),
    ("Goth", "Gothic", 0x10330),
    ("Dsrt", "Deseret", 0x10428),
    ("Osge", "Osage", 0x104D8),
    ("Phnx", "Phoenician", 0x10900),
    ("Cakm", "Chakma", 0x11107),
    ("Newa", "Newa", 0x1140E),
    ("Adlm", "Adlam", 0x1E922),
    ("Xsux", "Cuneiform", 0x12000),
    ("Egyp", "Egyptian Hieroglyph", 0x13000),
)

TRAPS = (
    ("Zyyy", "empty text", ""),
    ("Zyyy", "only spaces", " \u3000\t\n "),
    ("Latn", "prefix space", " the door"),
    ("Latn", "spaces at both ends", "   the door   "),
    ("Latn", "double space", "the  door   opens"),
    ("Jpan", "ideographic space", "\u3000朝\u3000パン\u3000\u3000屋\u3000"),
    ("Latn", "no-break and thin spaces", "10\u00a0000\u202f€\u2009a\u2003b\u205fc"),
    ("Zyyy", "zero width space", "ສະບາຍ\u200bດີ\u200bthe\u200b door"),
    ("Latn", "tabs and line ends", "the\tdoor\r\nopens\n\nnow\u2028then\u2029end\x0b\x0c\x85."),
    ("Latn", "NUL", "the\0door \0 opens\0"),
    ("Latn", "control characters", "the\x01door\x1f opens\x7f\x9f\x08"),
    ("Zyyy", "byte order mark", "\ufeffthe\ufeff door"),
    ("Zyyy", "the space mark itself", "▁the▁▁door ▁ \u2581"),
    ("Zyyy", "replacement and unknown marks", "a\ufffdb \ufffd ⁇ c\ufffc"),
    ("Deva", "zero width joiner", "क्\u200dष र्\u200dय a\u200db"),
    ("Arab", "zero width non-joiner", "می\u200cخواهم نمی\u200cدانم a\u200cb\u200c"),
    ("Latn", "a letter and its mark", "cafe\u0301 x"),
    ("Latn", "combining marks", "e\u0301 A\u030a n\u0303o\u0302\u0309 c\u0327"),
    ("Latn", "combining marks out of order", "a\u0323\u0302 a\u0302\u0323 s\u0307\u0323 q\u0323\u0307"),
    ("Latn", "a stack of marks", "o\u0300\u0301\u0302\u0303\u0304\u0305 \u0301a x\u20dd"),
    ("Deva", "nukta, joined and apart", "क़ क\u093c फ़ फ\u093c ढ\u093c"),
    ("Hang", "jamo", "\u1112\u1161\u11ab\u1100\u1173\u11af ㅎㅏㄴ 한\u11a8"),
    ("Taml", "vowel signs apart", "க\u0bc6\u0bbe க\u0bc7\u0bbe க\u0bc6\u0bd7"),
    ("Tibt", "stacked letters", "\u0f40\u0fb5 \u0f69 \u0f71\u0f72 \u0f73"),
    ("Arab", "marks and tatweel", "بِسْمِ ٱللَّهِ كــتاب لآ ﻻ"),
    ("Zyyy", "emoji", "😀 👍🏽 ❤\ufe0f ☺\ufe0e ok👌"),
    ("Zyyy", "emoji sequences", "👨\u200d👩\u200d👧\u200d👦 👩🏿\u200d🚀 🏳\ufe0f\u200d🌈"),
    ("Zyyy", "emoji flags and keycaps", "🇰🇪🇳🇴 1\ufe0f\u20e3 🏴\U000e0067\U000e0062\U000e007f"),
    ("Hebr", "right-to-left marks", "\u200fשלום\u200e abc \u202bא\u202c \u2067ב\u2069 \u061cج"),
    ("Zyyy", "unassigned code points", "a\u0378b \u0378 \u2fe0 \U000e0080x \U0001fffe"),
    ("Zyyy", "private use", "\ue000a \uf8ff \U000f0000"),
    ("Latn", "NFKC: ligatures", "ﬁsh oﬀer ﬃ aĳ Ǆ ŉ st ﬆ"),
    ("Zyyy", "NFKC: one character becomes many", "½ x⅔ ㌔ ㍿ ㋿ ﷺ ﷽ ⑴ 🄐 ㏒"),
    ("Zyyy", "NFKC: width", "ＡＢＣ１２３！ ｶﾞｷﾞ ﾊﾟﾝ ￦ ￥ ＇"),
    ("Zyyy", "NFKC: many become one", "が\u304b\u3099 ㅂ Å \u212b \u2126 K \u1e9b\u0323 x\u0338="),
    ("Zyyy", "NFKC: spacing marks", "a¨b ¯ ´x ‾ ˘ \u037a"),
    ("Zyyy", "NFKC: dots and dashes", "a…b ‥ ‑ － ﹣ ‐ 2⁵ H₂O ™ № ℃ ſ"),
    ("Thai", "sara am", "น้ำ นํ้า กำ กํา ลำ"),
    ("Laoo", "sara am", "ນ້ຳ ນ\u0ecdາ ຳ ໝ ໜ"),
    ("Mymr", "Zawgyi order", "ေက်ာင္း ကေလး"),
    ("Latn", "soft hyphen and word joiner", "sepa\u00adra\u00adted no\u2060break"),
    ("Zyyy", "runs", "." * 40 + " " + "-" * 33 + " " + "aaaaaaaaaaaaaaaaaaaaaaa !!!!!!!!!"),
    ("Zyyy", "digits", "1234567890 ١٢٣ १२३ ๑๒๓ 𝟏𝟐𝟑 ①②③ Ⅷ"),
    ("Zyyy", "many scripts at once", "aбגد你かक한กა"),
)

# Special pieces spelt in text: characters to some programs and ids to others.
SPECIALS = (
    ("Latn", "<mask> in text", "the <mask> opens <mask>."),
    ("Latn", "<mask> without spaces", "the<mask>door<mask><mask>"),
    ("Latn", "<s> and </s> in text", "<s>the door</s> opens </s></s> now <s>"),
    ("Latn", "<pad> and <unk> in text", "the <pad> door<pad><unk> opens"),
    ("Hans", "<mask> in text", "早上<mask>打开店门</s>"),
    ("Latn", "nearly special", "<MASK> < mask > <mask <s/> <<mask>>"),
)

# What the long line is made of: letters that NFKC leaves alone, so that it tests length and nothing else.
_LONG_LINE_PARTS = ("bread", "door", "street", "хлеб", "дверь", "面包", "打开", "店门", "빵집", "パン", "ψωμί", "7")


def all_probes() -> Iterator[Probe]:
    """Every probe: the scripts, the traps, special pieces spelt in text, and a line of 1 MB."""
    for script, name, text in SENTENCES:
        yield Probe(script, name, text)
    for script, name, first in LETTERS:
        letters = "".join(chr(first + offset) for offset in range(9))
        yield Probe(script, name, f"{letters[:5]} {letters[5:]}")
    for script, name, text in TRAPS:
        yield Probe(script, name, text)
    for script, name, text in SPECIALS:
        yield Probe(script, name, text, special=True)
    yield Probe("Zyyy", LONG_LINE, _long_line())


def _long_line() -> str:
    """Words without a space between them, in an order that never repeats and is the same everywhere."""
    words: list[str] = []
    size, state = 0, 1
    while size < LONG_LINE_BYTES:
        state = (1_103_515_245 * state + 12_345) % 2**31
        words.append(_LONG_LINE_PARTS[(state >> 16) % len(_LONG_LINE_PARTS)])
        size += len(words[-1].encode())
    return "".join(words)
