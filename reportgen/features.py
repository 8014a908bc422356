"""The record of what pretrained weights see: which images their features find alike, and how often rightly.

Type, reader and writer stand together here, as those of a run do in `record`. Pictures stand beside the record:

    pretraining/<weights>/features.json
                          filters.png        the filters of the first layer, the strongest first
                          neighbours.png     a row for each image that was asked for: itself, then those most like it

Shares are fractions from 0 to 1, similarities cosines from -1 to 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from reportgen.record import Count, Environment, Fraction, Part, Positive, Sha256, read_as, write_as

Way = Literal["weights", "untrained", "pixels"]
"""By what images are compared."""
FILE, FILTERS, NEIGHBOURS = "features.json", "filters.png", "neighbours.png"


class Image(Part):
    """A test image."""

    index: Count
    """Its position among the test images."""
    label: Count


class Neighbour(Image):
    """An image that is like another one."""

    similarity: Annotated[float, Field(ge=-1.001, le=1.001)]
    """The cosine of the angle between the features of both, taken from the mean of all images."""


class Query(Image):
    """An image, and those most like it."""

    nearest: Annotated[tuple[Neighbour, ...], Field(min_length=1)]
    """The most similar first."""


class Share(Part):
    """How often the images that are most like another one show the same class, if they are compared in one way."""

    compared_by: Way
    """The features of the weights, those of the same network with weights that were just drawn, or the bare pixels."""
    preprocessing: str | None
    """How pixels are prepared for the network; None where there is none."""
    image_size: Positive
    """To which the images were resized."""
    same_class: Fraction

    @property
    def way(self) -> tuple[str, str | None, int]:
        """By what images were compared, how pixels were prepared, and the size; no two shares have it in common."""
        return self.compared_by, self.preprocessing, self.image_size


class Features(Part):
    """How a network with certain weights describes images that it was not trained on."""

    schema_version: Literal[2] = 2
    weights: str
    """What the weights were trained on, as a run on them records it."""
    weights_sha256: Sha256 | None
    """Of the file of weights; None for those that Keras fetches."""
    architecture: str
    preprocessing: str
    """How pixels are prepared for what is shown, in the words of a run's setting `pixel_scaling`."""
    image_size: Positive
    """Of what is shown."""
    layer: str
    """Whose output describes an image, averaged over all positions."""
    dimensions: Positive
    """Numbers that describe an image."""
    filters: Positive
    """Of the first layer."""
    command: str
    """What to type, in the root of the repository, to repeat it."""
    started: AwareDatetime
    sources: dict[str, Sha256]
    """The fingerprint of every source file that it depends on, by relative path."""
    environment: Environment
    dataset: str
    dataset_sha256: Sha256
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    images: Positive
    """Test images that were described; each is compared with all others."""
    nearest: Positive
    """So many most similar images of each are looked at."""
    shares: Annotated[tuple[Share, ...], Field(min_length=1)]
    """One for each way to compare images, and size of them; first that of what is shown."""
    shown: Annotated[tuple[Query, ...], Field(min_length=1)]
    """Those in the picture, in its order."""

    def same_class(self, compared_by: str, preprocessing: str | None, image_size: int) -> float | None:
        """The share of neighbours with the same class, if images are compared in this way; None if they were not."""
        way = (compared_by, preprocessing, image_size)
        return next((share.same_class for share in self.shares if share.way == way), None)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        first = self.shares[0]
        if first.way != ("weights", self.preprocessing, self.image_size):
            raise ValueError(
                f"shares begins with {first.compared_by} at {first.image_size} pixels, prepared as "
                f"{first.preprocessing}, and not with what is shown"
            )
        if len({share.way for share in self.shares}) < len(self.shares):
            raise ValueError("shares has one way to compare images twice")
        for query in self.shown:
            if len(query.nearest) != self.nearest:
                raise ValueError(
                    f"shown has {len(query.nearest)} neighbours of image {query.index}, not {self.nearest}"
                )
            images: tuple[Image, ...] = (query, *query.nearest)
            for image in images:
                if image.label >= len(self.classes) or image.index >= self.images:
                    raise ValueError(f"shown has image {image.index} with label {image.label}, which do not exist")
        return self


def read(file: Path) -> Features:
    """Read and validate one record.

    Raises:
        RecordError: the file is missing, truncated, of another version, or a field is missing or wrong.
    """
    return read_as(file, Features)


def read_all(folder: Path) -> dict[Path, Features]:
    """Read the record in every folder below `folder`, by file, sorted; none where there is no such folder.

    Raises:
        RecordError: a file cannot be read.
    """
    return {file: read(file) for file in sorted(folder.glob(f"*/{FILE}"))}


def write(record: Features, file: Path) -> Path:
    """Write `record`, whole or not at all, and return the file."""
    return write_as(record, file)
