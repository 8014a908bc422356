"""Images in batches: which are in each, what happens to them, and in which order an epoch draws them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from experiments.augmentation import Movement, Shift, alternating, draw_affine, draw_shift, moved, resize
from experiments.data import Images
from experiments.project import Augmentation, Translation
from experiments.scaling import UNIT_INTERVAL, Scaling, scaled


@dataclass(frozen=True)
class Plan:
    """One batch before a pixel is touched."""

    chosen: npt.NDArray[np.int64]
    """The positions of its images in the set, (batch,)."""
    movement: Movement | None
    """What happens to each of them; None: nothing."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Images in batches, scaled as they are drawn, so that the enlarged floating-point set is never held.

    With a seed, every epoch draws all images once, in an order that only the seed and the number of the epoch decide;
    augmentation, if any, is decided by the seed, the epoch and the number of the batch. NumPy fills such a key up with
    zeros, so that the augmentation of an epoch's first batch is drawn from the numbers that made its order, and the
    order of the first epoch from those that made the split; nothing is known to follow from that, and another key would
    make every run another one.
    """

    order: npt.NDArray[np.int64]
    """The positions of all images in this epoch's order, (images,)."""

    def __init__(
        self,
        images: Images,
        batch_size: int,
        image_size: int,
        seed: int | None = None,
        augmentation: Augmentation | Translation | None = None,
        scaling: Scaling = UNIT_INTERVAL,
        mirrored: bool = False,
    ) -> None:
        super().__init__()
        self.images = images
        self.batch_size = batch_size
        self.image_size = image_size
        self.scaling = scaling
        self._seed = seed
        self._augmentation = augmentation
        self._mirrored = mirrored
        self.draw(0)

    def __len__(self) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return -(-len(self.images.labels) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Batch `index`: scaled pixels (batch, height, width, 3) and labels (batch,)."""
        plan = self.plan(index)
        pixels = resize(self.images.pixels[plan.chosen], self.image_size)
        return scaled(moved(pixels, plan.movement), self.scaling), self.images.labels[plan.chosen]

    @property
    def still(self) -> bool:
        """Whether nothing happens to any image but its scaling."""
        return self.images.pixels.shape[1:3] == (self.image_size,) * 2 and self.plan(0).movement is None

    def plan(self, index: int) -> Plan:
        """Which images batch `index` of this epoch takes, and what happens to them."""
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        random = np.random.default_rng((self._seed or 0, self._epoch, index))
        movement: Movement | None = None
        match self._augmentation:
            case Augmentation():
                movement = draw_affine(len(chosen), self.image_size, self.image_size, self._augmentation, random)
            case Translation():
                movement = draw_shift(self._augmentation, self._flips[chosen], self.image_size, self.image_size, random)
            case None if self._mirrored:
                unmoved = np.zeros(len(chosen), dtype=np.int64)
                movement = Shift(unmoved, unmoved, unmoved == 0)
        return Plan(chosen, movement)

    def draw(self, epoch: int) -> None:
        """Take the order of epoch `epoch`, counted from 0, and what is mirrored in it."""
        self._epoch = epoch
        self.order = order(len(self.images.labels), self._seed, epoch)
        if isinstance(self._augmentation, Translation):
            self._flips = alternating(len(self.images.labels), self._seed or 0, epoch)


class DrawEpoch(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells the batches which epoch begins; the data set's own hooks are also called once before the first epoch."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.draw(epoch)


def order(size: int, seed: int | None, epoch: int) -> npt.NDArray[np.int64]:
    """The order in which epoch `epoch` (from 0) draws `size` images; as they stand where there is no seed."""
    if seed is None:
        return np.arange(size)
    return np.random.default_rng((seed, epoch)).permutation(size)


def order_sha256(size: int, seed: int, epochs: int) -> str:
    """SHA-256 over the orders of the first `epochs` epochs, as little-endian 64-bit integers."""
    digest = hashlib.sha256()
    for epoch in range(epochs):
        digest.update(order(size, seed, epoch).astype("<i8").tobytes())
    return digest.hexdigest()
