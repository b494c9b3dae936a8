"""A card that is not there: tensors "on" it live in ordinary memory, and may not be mixed with others.

Under ``pretend_card`` code for accelerators runs on the processor, and mixing devices is an error as
it would be on a card. Numbers are those of the processor.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

ORDINARY = torch.Generator
CARD = torch.device("cuda", 0)
MOVES = {torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.copy_, torch.Tensor.type}
ANY = {torch._foreach_copy_, torch.Tensor.__getitem__, torch.is_tensor}


class _Generator(torch.Generator):
    """A generator of the processor that says it is one of the card."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return CARD


class _Generators(torch.Generator):
    """Makes generators of either."""

    def __new__(cls, device: Any = "cpu") -> Any:
        return _Generator() if _is_card(torch.device(device)) else ORDINARY()


class _Card(TorchFunctionMode):
    """Knows which tensors are on the card, by identity."""

    def __init__(self) -> None:
        super().__init__()
        self.known: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()

    def holds(self, value: Any) -> bool:
        return isinstance(value, Tensor) and self.known.get(id(value)) is value

    def place(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            self.known[id(value)] = value
        return value

    def lift(self, value: Any) -> None:
        if isinstance(value, Tensor):
            self.known.pop(id(value), None)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.device:
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        owner = getattr(func, "__self__", None)
        if name == "__get__" and owner in (torch.Tensor.device, torch.Tensor.is_cuda):
            if not self.holds(args[0]):
                return func(*args, **kwargs)
            return CARD if owner is torch.Tensor.device else True
        leaves = tree_leaves((args, kwargs))
        tensors = [v for v in leaves if isinstance(v, Tensor)]
        held = [self.holds(t) for t in tensors]
        asked = [v for v in leaves if _is_card(v)]
        elsewhere = any(_is_processor(v) for v in leaves)
        if func in MOVES and tensors:
            first = held[0]
            if asked:
                args, kwargs = tree_map(lambda v: "cpu" if _is_card(v) else v, (args, kwargs))
            out = func(*args, **kwargs)
            to_card = bool(asked) or (first and not elsewhere and func is not torch.Tensor.cpu)
            if func is torch.Tensor.to and len(tensors) > 1:
                to_card = held[1]
            if to_card != first and out is args[0] and func is not torch.Tensor.copy_:
                out = args[0].clone()
            return self.place(out) if to_card else out
        if func is torch.Tensor.numpy and held[0]:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if any(held) and func not in ANY:
            apart = [t for t, on in zip(tensors, held, strict=True) if not on and t.ndim > 0]
            if apart:
                raise RuntimeError(
                    f"{name}: expected all tensors on one device, found cuda:0 and cpu"
                )
        if asked:
            args, kwargs = tree_map(lambda v: "cpu" if _is_card(v) else v, (args, kwargs))
        out = func(*args, **kwargs)
        if asked or (any(held) and not elsewhere):
            tree_map(self.place, out)
        return out


def _is_card(value: Any) -> bool:
    return (isinstance(value, torch.device) and value.type == "cuda") or (
        isinstance(value, str) and value.partition(":")[0] == "cuda"
    )


def _is_processor(value: Any) -> bool:
    return (isinstance(value, torch.device) and value.type == "cpu") or (
        isinstance(value, str) and value == "cpu"
    )


@contextlib.contextmanager
def pretend_card(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the block as if there were one card, ``cuda:0``, without graphs."""
    card, plain_to = _Card(), nn.Module.to

    def to(module: nn.Module, *args: Any, **kwargs: Any) -> nn.Module:
        asked = [v for v in (*args, *kwargs.values()) if _is_card(v)]
        for tensor in (*module.parameters(), *module.buffers()):
            (card.place if asked else card.lift)(tensor)
        return module if asked else plain_to(module, *args, **kwargs)

    plain_copy = nn.Parameter.__deepcopy__

    def copied(parameter: nn.Parameter, memo: Any) -> Any:
        made = plain_copy(parameter, memo)
        return card.place(made) if card.holds(parameter) else made

    patch.setattr(nn.Module, "to", to)
    patch.setattr(nn.Parameter, "__deepcopy__", copied)
    patch.setattr(torch, "Generator", _Generators)
    patch.setattr(torch.cuda, "is_available", lambda: True)
    patch.setattr(torch.cuda, "device_count", lambda: 1)
    patch.setattr(torch.cuda, "get_device_name", lambda *_: "a pretended card")
    patch.setattr(torch.cuda, "mem_get_info", lambda *_: (2**34, 2**34))
    patch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    with card:
        yield
