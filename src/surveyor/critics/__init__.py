"""Critics: nets that score points, one file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.catalog import Part, parts_in
from surveyor.critics.chain import ChainCritic
from surveyor.data import Space

__all__ = ["ChainCritic", "Critic", "OfClients", "critics", "score"]


class Critic(Part):
    """A kind of critic; its fields are its options."""

    @classmethod
    def choices(cls) -> Mapping[str, type[Any]]:
        """Return every critic that a composite critic can contain."""
        return critics()

    @property
    def takes_pictures(self) -> bool:
        """Return whether its conditions are pictures (n, \\*space.cond_shape)."""
        return False

    @property
    def together(self) -> int:
        """Return how many consecutive samples share a score."""
        return 1

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Refuse batches that packs do not divide."""
        if chosen["batch"] % self.together:
            yield (
                f"--critic: packs of {self.together} do not divide --batch={chosen['batch']}; give "
                "a multiple"
            )

    def of_clients(self, shares: Sequence[float]) -> Critic | None:
        """Return the critic with a member for each client; None if clients share it as it is."""
        return None

    @abstractmethod
    def build(self, space: Space) -> nn.Module:
        """Return a module (x (n, \\*space.shape), cond (n, c) or None) -> scores (n,).

        A committee's scores are (members, n).

        Raises:
            InputError: it cannot score points of this space.
        """


class OfClients(nn.Module):
    """A critic with a member for each client, trained on that client's rows alone."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)


def critics() -> dict[str, type[Critic]]:
    """Return every critic, keyed by its file's name."""
    return parts_in("surveyor.critics", Critic)  # type: ignore[type-abstract]


def score(critic: nn.Module, batch: Batch) -> Tensor:
    """Return the critic's scores given each point's condition, (n,) or (members, n)."""
    scores: Tensor = critic(batch.x) if batch.cond is None else critic(batch.x, batch.cond)
    return (scores.squeeze(-1) if scores.shape == (len(batch), 1) else scores).float()
