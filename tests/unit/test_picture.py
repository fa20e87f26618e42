"""The README's picture is current, and its words are large enough and inside their boxes."""

import re
from xml.etree import ElementTree

import pytest

from docs import picture

#: A text's width per letter, as a share of its size: measured with DejaVu Sans, the widest of the picture's fonts.
LETTER = 0.56


def test_the_picture_is_current() -> None:
    assert picture.FILE.read_text() == picture.svg(), "write it by `python docs/picture.py`"


def test_its_words_can_be_read() -> None:
    root = ElementTree.fromstring(picture.svg())
    texts = [element for element in root.iter() if element.tag.endswith("text")]
    assert len(texts) > 30
    assert min(int(element.attrib["font-size"]) for element in texts) >= 15
    for element in texts:
        right = int(element.attrib["x"]) + LETTER * int(element.attrib["font-size"]) * len(element.text or "")
        assert right < picture.WIDTH, element.text


@pytest.mark.parametrize("box", picture.BOXES, ids=lambda box: box.title)
def test_words_are_inside_their_box(box: picture.Box) -> None:
    for words, size in ((box.title, box.size), *((line, 15) for line in box.lines)):
        assert 14 + LETTER * size * len(words) < box.width, words
    assert 49 + 21 * (len(box.lines) - 1) + 8 < box.height
    assert box.x + box.width < picture.WIDTH
    assert box.y + box.height < picture.HEIGHT


def test_the_steps_are_numbered_in_the_order_of_a_request() -> None:
    assert [arrow.step for arrow in picture.ARROWS] == ["1", "2", "3", "4", "5", "6", "6"]


def test_the_readme_shows_it_with_words_for_those_who_cannot_see_it() -> None:
    readme = (picture.FILE.parent.parent / "README.md").read_text()
    (shown,) = re.findall(r"!\[([^\]]+)\]\(docs/stack\.svg\)", readme)
    assert len(shown) > 60
