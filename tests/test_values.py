"""Values whose methods are made late are what ``dataclasses`` would have made of them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, get_type_hints

import pytest

import searchfeed
from searchfeed import models, values


def classes(dataclass: Any) -> tuple[Any, Any, Any]:
    """The same classes, made with one decorator or another."""

    @dataclass(frozen=True, slots=True)
    class Plain:
        """A value."""

        number: int
        text: str = "none"
        many: tuple[int, ...] = dataclasses.field(default=(1, 2), repr=False)
        fresh: list[int] = dataclasses.field(default_factory=list, compare=False)

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("below zero")

        @property
        def double(self) -> int:
            return self.number * 2

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        number: int

    @dataclass(frozen=True, slots=True)
    class Own:
        text: str

        def __repr__(self) -> str:
            return self.text

        def __len__(self) -> int:
            return len(self.text)

    return Plain, Ordered, Own


@pytest.fixture(params=[values.dataclass, dataclasses.dataclass], ids=["ours", "standard"])
def kinds(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    return classes(request.param)


def test_what_one_can_do_with_a_value(kinds: tuple[Any, Any, Any]) -> None:
    plain, ordered, own = kinds
    value = plain(3, many=(4,))
    assert (value.number, value.text, value.many, value.fresh, value.double) == (
        3,
        "none",
        (4,),
        [],
        6,
    )
    assert repr(value).endswith("Plain(number=3, text='none', fresh=[])")
    assert value == plain(3, "none", (4,), [9]) != plain(4)
    assert value != ordered(3)
    assert plain(1).fresh is not plain(1).fresh
    assert dataclasses.replace(value, text="one").text == "one"
    assert dataclasses.asdict(value) == {"number": 3, "text": "none", "many": (4,), "fresh": []}
    assert copy.copy(value) == value == copy.deepcopy(value)
    assert repr(own("as it is")) == "as it is"
    assert len(own("four")) == 4
    assert ordered(1) < ordered(2)
    with pytest.raises(ValueError, match="below zero"):
        plain(-1)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'number'"):
        plain()
    match value:
        case plain(number, text):
            assert (number, text) == (3, "none")


def test_what_one_cannot_do(kinds: tuple[Any, Any, Any]) -> None:
    plain, ordered, _ = kinds
    for value in plain(3), ordered(3):
        with pytest.raises(
            dataclasses.FrozenInstanceError, match="cannot assign to field 'number'"
        ):
            value.number = 4
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'number'"):
            del value.number
        assert not hasattr(value, "__dict__")
    with pytest.raises(TypeError):
        assert plain(1) < plain(2)


def test_hashes(kinds: tuple[Any, Any, Any]) -> None:
    _, ordered, own = kinds
    assert {own("a"), own("a"), own("b")} == {own("b"), own("a")}
    assert hash(ordered(1)) == hash(ordered(1))


@pytest.mark.parametrize("look", ["fields", "signature", "is_dataclass", "annotations", "params"])
def test_a_class_of_which_no_value_was_made(look: str) -> None:
    ours, theirs = classes(values.dataclass)[0], classes(dataclasses.dataclass)[0]
    looks: dict[str, Any] = {
        "fields": lambda kind: [(each.name, each.type) for each in dataclasses.fields(kind)],
        "signature": lambda kind: str(inspect.signature(kind)),
        "is_dataclass": dataclasses.is_dataclass,
        "annotations": lambda kind: get_type_hints(kind.__init__),
        "params": lambda kind: repr(kind.__dataclass_params__),
    }
    if look == "annotations":
        ours(1)
    assert looks[look](ours) == looks[look](theirs)
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert ours.__qualname__ == theirs.__qualname__
    assert ours.__doc__ == "A value."


def test_a_value_can_be_kept_elsewhere() -> None:
    code = (
        "import pickle, searchfeed\n"
        f"span = pickle.loads({pickle.dumps(models.Span(1, 2))!r})\n"
        "print(span, span == searchfeed.Span(1, 2), hash(span) == hash(searchfeed.Span(1, 2)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "Span(start=1, end=2) True True", done.stderr


def test_a_value_can_be_made_of_another() -> None:
    plain = classes(values.dataclass)[0]

    @values.dataclass(frozen=True, slots=True)
    class More(plain):  # type: ignore[misc,valid-type]
        last: int = 0

    assert repr(More(1, last=2)).endswith("More(number=1, text='none', fresh=[], last=2)")
    assert [each.name for each in dataclasses.fields(More)][-1] == "last"


def test_the_methods_are_made_once() -> None:
    assert models.Span(0, 1) == models.Span(0, 1)
    assert models.Span.__init__ is models.Span.__init__
    assert models.Span.__init__.__qualname__.endswith("Span.__init__")


def test_threads_that_are_first_together() -> None:
    for _ in range(20):
        plain = classes(values.dataclass)[0]
        start = threading.Barrier(4)

        def work(plain: Any = plain, start: threading.Barrier = start) -> str:
            start.wait()
            return repr(dataclasses.replace(plain(1), text="one"))

        with ThreadPoolExecutor(4) as pool:
            found = {each.result() for each in [pool.submit(work) for _ in range(4)]}
        assert len(found) == 1
        assert plain(2).fresh == []


def test_what_cannot_wait_is_the_standard_one() -> None:
    @values.dataclass(frozen=True, slots=True)
    class Odd:
        number: int
        known: ClassVar[int] = 7
        hidden: int = dataclasses.field(default=3, init=False)
        named: int = dataclasses.field(default=4, kw_only=True)

    assert repr(Odd(1, named=5)).endswith("Odd(number=1, hidden=3, named=5)")
    assert Odd.known == 7


def test_values_of_the_package_ask_for_what_they_need() -> None:
    kinds: list[Any] = [getattr(searchfeed, name) for name in searchfeed.__all__]
    for kind in (each for each in kinds if hasattr(each, "__dataclass_fields__")):
        assert list(inspect.signature(kind).parameters) == list(kind.__match_args__)
    with pytest.raises(TypeError, match=r"Span.__init__\(\) missing 2 required positional"):
        models.Span()  # type: ignore[call-arg]
