"""The ruler of training on pairs: W1 between patches of answers and of real pictures."""

from __future__ import annotations

from functools import cached_property

from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.kinds.images.answers.quality import patches, psnr
from surveyor.measures import generated
from surveyor.measures.ruler import Looked, Ruler
from surveyor.measures.wasserstein import w1
from surveyor.streams import Stream

AT_ONCE = 64  # pictures, to bound memory
FLOORS = 3


class PatchRuler(Ruler):
    """W1 between ``n`` patches of answers and as many of real pictures.

    The validation pictures are halved: the second half is answered, the first gives the real
    patches. The floor is W1 between real patches of both halves. Patches do not show whether an
    answer fits its picture: the reconstruction loss trains this, and the fact ``psnr`` measures it.
    """

    @cached_property
    def floors(self) -> list[float]:
        """Return W1 between real patches of both halves, for several sets."""
        real, other = (half.x for half in self.halves())
        every = (Draws(self.seed, j, Stream.RULER, 1) for j in range(FLOORS))
        return [self.unit * w1(patches(real, self.n, d), patches(other, self.n, d)) for d in every]

    def halves(self) -> tuple[Batch, Batch]:
        """Return two halves of the validation pairs; a single pair is both halves."""
        k = max(1, min(self.n, len(self.held)) // 2)
        return self.held.first(k), self.held.first(k, k if len(self.held) > 1 else 0)

    def look(self, generator: nn.Module, draws: Draws) -> Looked:
        """Answer the second half of the pictures and, for the critic's gap, training pictures."""
        real, held = self.halves()
        fake = generated(self.game, generator, held.cond, len(held), draws, AT_ONCE)
        made, again = patches(fake.x, 2 * self.n, draws).chunk(2)
        train = self.train.first(len(held))
        trained = train
        if self.game.objective.is_distance:
            trained = generated(self.game, generator, train.cond, len(train), draws, AT_ONCE)
        own = patches(real.x, self.n, Draws(self.seed, FLOORS, Stream.RULER, 1))
        facts = {"psnr": psnr(fake.x.clamp(-1, 1), held.x)}
        return Looked(held, fake, (train, trained), w1(own, made), w1(made, again), facts)
