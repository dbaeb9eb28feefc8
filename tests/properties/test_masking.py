"""Whatever a value is: its mask says of each character its class, and nothing more."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from lakehouse.sources.detect.masking import mask
from lakehouse.sources.detect.policy import DescriptionPolicy
from tests.support.packed_files import EXAMPLES

LETTERS, CLASSES = "LMNC", {"x", "9", "字"}


@EXAMPLES
@given(text=st.text(max_size=60))
@example(text="张三 Ⅷ ½ ³ 〇 ㊀ Ⓐ ™ ﾊ\u0301 १२ \U00020000 \ue000 \x00 a@b.com (138) 1234")
def test_no_letter_digit_or_han_is_kept(text):
    """Every letter, mark, digit, numeral, control and unassigned sign becomes x, 9 or 字; length stays as it is."""
    masked = mask(text)
    kept = masked[:-1] if len(text) > DescriptionPolicy.masked_characters else masked
    assert len(kept) == min(len(text), DescriptionPolicy.masked_characters)
    for before, after in zip(text, kept, strict=False):
        if unicodedata.category(before)[0] in LETTERS:
            assert after in CLASSES
        else:
            assert after in CLASSES | {before}
            hidden = unicodedata.normalize("NFKC", after)
            assert after in CLASSES or not any(unicodedata.category(one)[0] in "LN" for one in hidden)


@EXAMPLES
@given(text=st.text("abcXYZ0189张王@.-¥ ", max_size=30))
def test_a_mask_is_its_own_mask_and_forgets(text):
    """Masking again changes nothing, and values of one shape have one mask."""
    assert mask(mask(text)) == mask(text)
    other = text.translate(str.maketrans("abcXYZ0189张王", "zyxABC7654李赵"))
    assert mask(other) == mask(text)
