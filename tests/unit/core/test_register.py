"""Numbers of individuals."""

from tests.support.resolver_scenes import ident

from marengocam.core.register import NOBODY, Register

ONE, OTHER, THIRD = ident("one"), ident("other"), ident("third")


def test_each_has_one_number_however_it_came() -> None:
    register = Register()
    assert register.coded([ONE, None, OTHER, ONE]) == [0, NOBODY, 1, 0]
    assert (register.code(OTHER), register.code(THIRD), register.code(THIRD)) == (1, 2, 2)
    assert register.coded([THIRD, ident("fourth")]) == [2, 3]
    assert register.ids == [ONE, OTHER, THIRD, ident("fourth")] == list(register.codes)


def test_a_mask_tells_who_is_among_some_and_nobody_never_is() -> None:
    register = Register()
    register.coded([ONE, OTHER])
    listed = register.listed([OTHER, THIRD])
    assert listed.tolist() == [False, True, False]
    assert not listed[NOBODY]
