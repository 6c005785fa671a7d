"""Every letter has a face, or is left out."""

from __future__ import annotations

import pytest

from billing.documents import fonts
from billing.documents.pdf import render_pdf
from tests.documents.reading import (
    base_fonts,
    collisions,
    drawn,
    pieces,
    read,
)
from tests.documents.samples import (
    content,
    row,
    section,
)

ARABIC = "شركة فجر الخليج للاتصالات المحدودة"
CHINESE = "深圳市晨光通信有限公司"


@pytest.mark.parametrize(
    ("name", "face"), [(ARABIC, "FiraGO"), (CHINESE, "WenQuanYi"), ("שלום", "FiraGO")]
)
@pytest.mark.parametrize("count", [1, 60])
def test_names_in_all_scripts_have_their_letters(
    name: str, face: str, count: int
) -> None:
    rows = tuple(row(f"{name} {at}", "1") for at in range(count))
    what = content((section(name, rows),), buyer_lines=(name, "Riad"))
    pdf = render_pdf(what)
    written = [each for page in read(pdf).pages for each in pieces(page)]
    named = [each for each in written if name in each.text]
    assert len(named) > count
    assert all(face in each.font for each in named)
    for page in read(pdf).pages:
        assert not [
            (first, second)
            for first, second in collisions(page)
            if first.isascii() and second.isascii()
        ]


@pytest.mark.parametrize("name", [fonts.REGULAR, fonts.BOLD])
def test_own_face_has_the_letters_it_is_there_for(name: str) -> None:
    known = fonts.fixed(name).face.charToGlyph
    assert not [each for each in "Aß€ŁЖΩמشไहქế₹₪₺–…" if ord(each) not in known]


def test_figures_of_a_column_are_all_of_one_width() -> None:
    face = fonts.fixed(fonts.REGULAR)
    assert len({face.stringWidth(figure, 10) for figure in "0123456789"}) == 1


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("Call to +49 30 555", True),
        ("Größe „x“ – 5 €", True),
        ("Москва, Αθήνα", True),
        ("e\u0301", False),
        (ARABIC, False),
        (CHINESE, False),
        ("ไทย", True),
        ("น้ำ", False),
        ("\u202eabc", False),
    ],
)
def test_text_is_left_to_pango_where_letter_after_letter_is_wrong(
    text: str, is_plain: bool
) -> None:
    assert fonts.is_plain(text) is is_plain


@pytest.mark.parametrize(
    ("text", "face"),
    [
        ("Café 🌞", "NotoEmoji"),
        ("Call ☎ 🇩🇪 👨‍👩‍👧 👍🏽 ❤️", "NotoEmoji"),
        ("தமிழ்", "Tamil"),
        ("Հայերեն", "Armenian"),
        ("አማርኛ", "Ethiopic"),
        ("★ ✓", "Symbols"),
        ("⇢", "Mathematics"),
    ],
)
@pytest.mark.parametrize("count", [1, 30])
def test_letters_and_emoji_that_the_face_lacks_have_another(
    text: str, face: str, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    rows = tuple(row(f"{text} {at}", "1") for at in range(count))
    pdf = render_pdf(content((section("Fees", rows),)))
    fonts_used = base_fonts(pdf)
    assert any(face in name for name in fonts_used)
    assert all("Trunkline" in name or "FiraGO" in name for name in fonts_used)
    assert caplog.records == []


@pytest.mark.parametrize(
    "name", ["Solar\U00012000 One", "So\ue000lar One", "Solar\u0378 One"]
)
def test_letters_that_no_face_has_are_left_out(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """PDF/A forbids the box that would stand for them."""
    (page,) = drawn(content((section("Fees", (row(name, "1"),)),), buyer_lines=(name,)))
    assert page.count("Solar One") == 2
    assert caplog.records == []


def test_ordinary_documents_load_no_further_faces() -> None:
    assert fonts.others_for("Größe „x“ – 5 € Москва שלום ไทย 深圳市 カタカナ 서울") == (
        [],
        {},
    )


@pytest.mark.parametrize("name", fonts.OTHERS)
def test_further_faces_are_there(name: str) -> None:
    assert len(fonts.other_face(name)) > 20_000


@pytest.mark.parametrize("text", [CHINESE * 5, f"{ARABIC} " * 3])
def test_long_texts_of_pangos_are_broken_in_a_list(text: str) -> None:
    rows = tuple(row(f"{text} {1000 + at}", "1") for at in range(30))
    said = "\n".join(drawn(content((section("Fees", rows),))))
    assert [at for at in range(30) if str(1000 + at) not in said] == []
