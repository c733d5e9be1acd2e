"""Codes that people read aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import codes

bodies = st.text(alphabet=codes.ALPHABET, min_size=3, max_size=20)


@given(bodies, st.data())
def test_one_wrong_character_is_noticed(body: str, data: st.DataObject) -> None:
    code = body + codes.check_character(body)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from(codes.ALPHABET.replace(code[place], "")))
    assert codes.is_code(code, len(code))
    assert not codes.is_code(code[:place] + wrong + code[place + 1 :], len(code))


@given(bodies, st.data())
def test_swapped_neighbours_are_noticed(body: str, data: st.DataObject) -> None:
    code = body + codes.check_character(body)
    place = data.draw(st.integers(0, len(body) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not codes.is_code(swapped, len(code))


def test_a_typed_code_may_have_blanks_dashes_and_small_letters() -> None:
    code = codes.new_code(12)
    assert codes.normalize(f"{code[:4].lower()}-{code[4:8]} {code[8:]}") == code


def test_many_codes_are_each_a_code_and_none_is_given_twice() -> None:
    made = codes.new_codes(500, 12)
    assert all(codes.is_code(code, 12) for code in made)
    ids = codes.new_public_ids(500)
    assert {len(public_id) for public_id in ids} == {16}
    assert len({*made}) == len({*ids}) == 500


def test_foreign_characters_and_wrong_lengths_are_no_codes() -> None:
    code = codes.new_code(12)
    assert not codes.is_code(code[:-1], 12)
    assert not codes.is_code("0" + code[1:], 12)
    with pytest.raises(ValueError, match="too long"):
        codes.check_character("2" * 28)
