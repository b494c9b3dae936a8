"""The sections of results about pictures."""

from __future__ import annotations

from typing import Any

from benchmarks.sections.markdown import grouped, median, table


def cells(runs: list[dict[str, Any]], keys: dict[str, str]) -> list[str]:
    """Return how many runs there are, and the median of each key; a dash where one lacks it."""
    return [
        str(len(runs)),
        *(
            "-" if any(r.get(k) is None for r in runs) else format(median(runs, k), form)
            for k, form in keys.items()
        ),
    ]


def images(found: dict[str, Any]) -> str:
    keys = {
        "read": ".3f", "read, worst digit": ".3f", "usefulness": ".3f", "frechet / floor": ".2f",
        "precision": ".3f", "recall": ".3f", "seconds": ".0f",
    }  # fmt: skip
    rows = [
        [f"{method}, {int(steps):,} steps", products, *cells(runs, keys)]
        for (method, steps, products), runs in grouped(
            found["runs"], "method", "steps", "products"
        ).items()
    ]
    return (
        f"**MNIST** (`make bench-images`, here with `--threads 1`; digit as condition, the same convolutional nets for all; the textbook's WGAN-GP takes five "
        f"critic steps a generator step, and has the time of the longest run beside it). "
        f"A classifier of the 50,000 training digits, right on {found['judge']:.1%} of the 10,000 others, reads "
        "10,000 generated ones: share read as asked, the same for the worst digit; usefulness, the accuracy on real digits of one trained on "
        f"them alone; Frechet distance between its features over that of real digits. Of real digits it reads {found['judge, worst digit']:.3f} of the "
        "worst.\n\n"
        + table(["", "products", "seeds", *keys], rows)
        + "\n\n![Generated digits, one column a digit](benchmarks/results/mnist-surveyor.png)"
    )  # fmt: skip


def pairs(found: dict[str, Any]) -> str:
    keys = {
        "psnr": ".2f",
        "ssim": ".3f",
        "perceptual": ".3f",
        "patch_frechet": ".3f",
        "sharpness": ".2f",
        "seconds": ".0f",
    }
    rows = [
        [f"{task}: {method}", *cells(runs, keys)]
        for (task, method), runs in grouped(found["runs"], "task", "method").items()
    ]
    named = [
        "",
        "seeds",
        "PSNR, dB",
        "SSIM",
        "perceptual",
        "patch Frechet",
        "sharpness",
        "s, one thread",
    ]
    return (
        "**Pictures that answer pictures** (`make bench-images`, three seeds by `python -m benchmarks.pairs --seeds 1 2 3`, with other work beside, so that seconds are upper values; icons of 32 x 32, those held out are no skin tone of one trained on; the "
        "same nets and generator steps with and without a critic). Perceptual distance by an ImageNet net; patches of 8 x 8 against those of "
        f"training pictures (real ones {found['patch_frechet_floor']:.3f}); sharpness is the power of fine detail over the real one.\n\n"
        + table(named, rows)
        + "\n\n![Given, bicubic, squared error, L1, Surveyor, truth](benchmarks/results/super-resolution.png)"
        + "\n\n*From above: given, bicubic, squared error alone, L1 alone, Surveyor, the truth; not chosen.*"
        + "\n\n![Edges, L1 alone, Surveyor, truth](benchmarks/results/edges-to-icons.png)"
        + "\n\n*From above: edges, L1 alone, Surveyor, the truth.*"
    )  # fmt: skip


def stacked(found: dict[str, Any]) -> str:
    keys = {"modes": ".0f", "kl": ".3f", "seconds": ".0f"}
    rows = [
        [method, *cells(runs, keys)] for (method,), runs in grouped(found["runs"], "method").items()
    ]
    return (
        "**Stacked MNIST** (`make bench-images`, with the `--steps` and `--methods` that the rows name; three digits as colours, 1,000 modes, 26,000 samples, no condition, the critic with a quarter "
        f"of the weights; KL of real samples {found['kl_floor']:.3f}). Published, with a discriminator a quarter the size: DCGAN 78.5 modes and "
        "KL 5.21, PacDCGAN4 667 and 1.81. Measured before the gradients of the generator's enlarging layers were mended (docs/defaults.md).\n\n" + table(["", "seeds", "modes", "KL", "s"], rows)
    )  # fmt: skip


def committees(found: dict[str, Any]) -> str:
    keys = {
        "w1 / floor": ".2f",
        "auc": ".2f",
        "frechet / floor": ".2f",
        "recall": ".2f",
        "asked": ".3f",
        "seconds": ".0f",
    }
    rows = [
        [f"{method}, seed {seed}", *cells(runs, keys)[1:]]
        for (seed, method), runs in sorted(
            grouped(found["runs"], "seed", "method").items(), key=lambda item: item[0][0]
        )
    ]
    return (
        f"**Committees, packs, noise** (`python -m benchmarks.committees`, one thread each, some with other work beside them, so that seconds are upper values; the 8 x 8 digits, digit as condition, {found['steps']:,} steps of each). Critics differ no more than seeds do: here none of it helps.\n\n"
        + table(["critic", *keys], rows)
    )  # fmt: skip
