"""What is asked of every component, whatever its kind; and how a component's promises are gone through."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import attrs
import tomli_w
import torch

from vatl_core.contracts import CONTRACTS
from vatl_core.errors import VatlError
from vatl_core.plugins import option_fields, structure
from vatl_kit.broken import BrokenContract, going_on, promise
from vatl_kit.option_docs import attributes_told

Check = TypeVar("Check", bound=Callable[..., None])


def quick(check: Check) -> Check:
    """Marks what ``vatl plugins check`` tries too: seconds at most, whatever the component."""
    check.quick = True  # type: ignore[attr-defined]  # functions may have any
    return check


def _in_words(check: Callable[[Any], None]) -> Callable[[Any], None]:
    """The check; where what is wrong keeps it from coming to its point, that is told in words too."""

    @wraps(check)
    def checked(self: Contract) -> None:
        __tracebackhide__ = True
        what = check.__name__.removeprefix("test_").replace("_", " ")
        with going_on(f"{self.called} {what}", "put right what else is wrong first; the traceback says where it ended"):
            check(self)

    return checked


class Contract:
    """Derive a class whose name begins with ``Test`` and set ``component``; pytest does the rest.

    Attributes:
        component: what is tested, with the options that its tests are to use; each check works on a copy.
    """

    kind: ClassVar[str]
    component: Any = None

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if cls.__module__.startswith(__package__):
            _tell_in_words(cls)

    def fresh(self) -> Any:
        """A copy of the component, as it is before a run."""
        __tracebackhide__ = True
        if self.component is None:
            raise BrokenContract(
                f"{type(self).__name__} says what it tests", "component = …", "nothing", "set the class attribute"
            )
        with going_on(f"{self.called} can be made and copied"):
            return self.component() if isinstance(self.component, type) else copy.deepcopy(self.component)

    @property
    def called(self) -> str:
        """The component in messages."""
        component = self.component if isinstance(self.component, type) else type(self.component)
        return f"{self.kind} {component.__name__}"

    @quick
    def test_derives_from_its_contract(self) -> None:
        contract, component = CONTRACTS[self.kind], self.fresh()
        promise(
            isinstance(component, contract) and attrs.has(type(component)),
            f"{self.called} is an attrs class that derives from {contract.__name__}",
            f"@attrs.frozen class {type(component).__name__}({contract.__name__})",
            f"bases {', '.join(base.__name__ for base in type(component).__bases__)}"
            f"{'' if attrs.has(type(component)) else ', no attrs class'}",
            f"derive from vatl_core.{contract.__name__} and decorate with attrs.frozen or attrs.define",
        )

    @quick
    def test_options_come_back_from_toml(self) -> None:
        component = self.fresh()
        values = {name: _plain(value) for name, value in _options(component).items() if value is not None}
        with going_on(f"{self.called}: its options can be written as TOML", "give them types that TOML has"):
            read = tomllib.loads(tomli_w.dumps(values))
        self._same_options(component, read, "TOML")

    @quick
    def test_options_come_back_from_the_command_line(self) -> None:
        component = self.fresh()
        self._same_options(component, {n: _text(v) for n, v in _options(component).items()}, "the command line")

    def test_every_option_is_explained(self) -> None:
        told = attributes_told(type(self.fresh()))
        missing = [name for name in option_fields(type(self.fresh())) if name not in told]
        promise(
            not missing,
            f"{self.called}: `vatl plugins show` can explain its options",
            "a line, with its unit, for each in the docstring's Attributes",
            f"nothing on {', '.join(missing)}",
            "write one",
        )

    def _same_options(self, component: Any, values: dict[str, Any], source: str) -> None:
        __tracebackhide__ = True
        try:
            made = structure(values, type(component), self.called)
        except VatlError as error:
            raise BrokenContract(
                f"{self.called}: its options can be given by {source}",
                "the same component",
                str(error),
                "let types and validators accept what they print",
            ) from error
        for name, value in _options(component).items():
            promise(
                getattr(made, name) == value or value is None,
                f"{self.called}: its option {name} comes back from {source}",
                repr(value),
                repr(getattr(made, name)),
                "keep in the field what was given to it, in the type that it declares",
            )


def _tell_in_words(contract: type[Contract]) -> None:
    """Wrap every check that a class defines itself."""
    for name in [name for name in vars(contract) if name.startswith("test_")]:
        setattr(contract, name, _in_words(vars(contract)[name]))


_tell_in_words(Contract)


def checks(contract: type[Contract], only_quick: bool = False) -> Iterator[tuple[str, Callable[[Contract], None]]]:
    """What a contract checks, by name."""
    for name in dir(contract):
        check = getattr(contract, name)
        if name.startswith("test_") and (getattr(check, "quick", False) or not only_quick):
            yield name.removeprefix("test_").replace("_", " "), check


def untouched_randomness(work: Callable[[], Any]) -> Any:
    """What ``work`` returns, with torch's own random numbers at an arbitrary place: they may not matter."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch.seed() % 2**31)
        return work()


def _options(component: Any) -> dict[str, Any]:
    return {name: getattr(component, field.name) for name, field in option_fields(type(component)).items()}


def _plain(value: Any) -> Any:
    """An option as TOML has it."""
    if isinstance(value, Path):
        return str(value)
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _text(value: Any) -> str:
    """An option as it is typed."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(_text(part) for part in value) if isinstance(value, tuple | list) else str(value)
