"""The text of a part: what it names, what it spells out, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from surveyor.catalog import DEPTH, Part, parse, text_of
from surveyor.critics import critics
from surveyor.critics.committee import Committee
from surveyor.critics.conv import Conv
from surveyor.critics.mlp import Mlp
from surveyor.critics.packed import Packed
from surveyor.critics.residual import Residual
from surveyor.errors import InputError
from surveyor.options import PARTS

LISTS: Mapping[str, Mapping[str, type[Any]]] = {what: known() for what, known in PARTS.items()}
NEEDED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("privacy", "gaussian"): {"epsilon": 3.0},
    ("task", "translate"): {"source": "drawings, old (1)", "target": "photos"},
}


@pytest.mark.parametrize(("what", "name"), [(w, n) for w, known in LISTS.items() for n in known])
def test_every_part_is_read_from_the_text_that_names_it(what: str, name: str) -> None:
    part = LISTS[what][name](**NEEDED.get((what, name), {}))
    assert parse(text_of(part), LISTS[what], what) == part


def test_a_comma_outside_parentheses_is_told() -> None:
    with pytest.raises(InputError, match="a value with a comma goes in parentheses"):
        parse("translate:source=a,b,target=c", LISTS["task"], "task")


NESTED = {
    "packed:of=(conv:width=64,slope=0.1),members=3": Packed(Conv(64, 0.1), 3),
    "packed:of=conv": Packed(Conv()),
    "packed:of=(conv)": Packed(Conv()),
    "packed:of=conv:width=5": Packed(Conv(5)),
    " packed: members = 3 , of = ( mlp:width=5, depth=1 ) ": Packed(Mlp(5, 1), 3),
    "committee:of=(packed:of=(residual:width=4,attention=true),members=3),see=bands": Committee(
        Packed(Residual(4, attention=True), 3), see="bands"
    ),
    "packed:of=packed:of=packed:of=mlp": Packed(Packed(Packed(Mlp()))),
}


@pytest.mark.parametrize("text", NESTED)
def test_parts_stand_in_parts(text: str) -> None:
    part = parse(text, critics(), "critic")
    assert part == NESTED[text]
    assert parse(text_of(part), critics(), "critic") == part


def test_every_field_is_spelt_out_inside_too() -> None:
    part = parse("committee:of=packed:of=conv,members=2", critics(), "critic")
    inner = "packed:of=(conv:width=32,slope=0.2),members=2"
    assert text_of(part) == f"committee:of=({inner}),members=2,see=projections"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("packed:of=cnv", "critic 'packed', of: unknown critic 'cnv'; did you mean 'conv'?"),
        (
            "packed:of=(conv:widht=4),membres=2",
            "critic 'packed', of: critic 'conv': unknown field 'widht'; did you mean 'width'?\n"
            "critic 'packed': unknown field 'membres'; did you mean 'members'?",
        ),
        ("packed:of=(conv:width=0)", "critic 'packed', of: width 0: give at least 1"),
        (
            "committee:of=(packed:of=(mlp:depth=x))",
            "critic 'committee', of: critic 'packed', of: critic 'mlp': depth=x: not an int",
        ),
        ("packed:of=(conv:width=4", "critic 'packed': of=(conv:width=4: unmatched '('"),
        ("packed:of=conv),members=2", "critic 'packed': of=conv),members=2: unmatched ')'"),
        (
            "packed:of=mlp:width=64,depth=2",
            "critic 'packed': unknown field 'depth'; known: of, members; "
            "if it belongs to 'mlp:width=64', write of=(mlp:width=64,depth=2)",
        ),
        ("packed:net=conv", "critic 'packed': unknown field 'net'; known: of, members"),
        ("packed:of=unet", "unknown critic 'unet'; known: committee, conv, mlp"),
        ("packed:of=", "critic 'packed', of: unknown critic ''"),
    ],
)
def test_what_is_wrong_inside_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, critics(), "critic")
    assert told in str(caught.value)


@pytest.mark.parametrize("form", ["packed:of={}", "packed:of=({})"])
def test_parts_are_not_nested_without_end(form: str) -> None:
    text = "mlp"
    for _ in range(DEPTH - 1):
        text = form.format(text)
    parse(text, critics(), "critic")
    with pytest.raises(InputError, match=f"at most {DEPTH} deep") as caught:
        for _ in range(5000):
            text = form.format(text)
        parse(text, critics(), "critic")
    assert len(str(caught.value)) < 300


@dataclass(frozen=True)
class Wheel(Part):
    """A part of another list than the one it stands in."""

    size: int = 3

    @classmethod
    def choices(cls) -> Mapping[str, type[Any]]:
        return {"test-catalog": Wheel}


@dataclass(frozen=True)
class Cart:
    """A part with another that may be left out."""

    front: Wheel | None = None


def test_a_part_may_be_left_open() -> None:
    carts = {"test-catalog": Cart}
    for text, cart in (
        ("", Cart()),
        (":front=auto", Cart()),
        (":front=test-catalog", Cart(Wheel())),
    ):
        assert parse(f"test-catalog{text}", carts, "cart") == cart
        assert parse(text_of(cart), carts, "cart") == cart
    with pytest.raises(InputError, match="unknown wheel 'round'; known: test-catalog"):
        parse("test-catalog:front=round", carts, "cart")
