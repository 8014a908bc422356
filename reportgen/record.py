"""The record: what one run of one project with one seed did, as a JSON file.

The version, the types, the reader and the writer of the format stand together here. `experiments` writes records,
the rest of `reportgen` reads them, and neither knows more of the other than this module says.

    results/<project>/seed-<k>/record.json          one run, never changed afterwards
    results/<project>/seed-<k>/confirmations.json   later proofs that rearranged sources still do the same
    results/<project>/<variant>/seed-<k>/…          the same of a variant, which departs from what the project declares
    declared/<project>.json                         what a project would train, whether it has run or not

A number is kept as measured: accuracies are fractions from 0 to 1, cross-entropies are in nats, times in seconds,
memory in GiB. Rounding and percent signs belong to the languages.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, BinaryIO, Literal, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from reportgen.errors import ReportError

SCHEMA_VERSION: Literal[1] = 1
"""The version that this program writes, and the only one that it reads."""

RECORD_FILE = "record.json"
CONFIRMATIONS_FILE = "confirmations.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0)]
Nats = Annotated[float, Field(ge=0)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Setting = bool | int | float | str | None


class RecordError(ReportError):
    """A record, or a file beside it, that cannot be read: the message names file, field and what was expected."""


class Part(BaseModel):
    """A part of the format: frozen, without unknown fields, without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metrics(Part):
    """How well a trained network does on one set of images."""

    accuracy: Fraction
    """The fraction of images whose most probable class is their label."""
    cross_entropy: Nats
    """The mean negative logarithm of the probability given to the label, in nats."""


class Epoch(Part):
    """One pass over the training images; its training figures are means over the batches, as Keras prints them."""

    accuracy: Fraction
    cross_entropy: Nats
    val_accuracy: Fraction
    val_cross_entropy: Nats
    seconds: Seconds
    """Training and validation of this epoch, by the wall clock."""


class Layer(Part):
    """One row of the layer table."""

    name: str
    type: str
    output_shape: tuple[int | None, ...]
    """Batch first (None: any size), then height, width, channels or features."""
    parameters: Count


class Network(Part):
    """The network as it was built, layer by layer."""

    name: str
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    parameters: Count
    trainable: Count
    non_trainable: Count

    @model_validator(mode="after")
    def _totals_agree(self) -> Self:
        if self.trainable + self.non_trainable != self.parameters:
            raise ValueError(
                f"parameters is {self.parameters}, but trainable and non_trainable add up to "
                f"{self.trainable + self.non_trainable}"
            )
        if sum(layer.parameters for layer in self.layers) != self.parameters:
            raise ValueError(
                f"parameters is {self.parameters}, but the layers' parameters add up to "
                f"{sum(layer.parameters for layer in self.layers)}"
            )
        return self


class Dataset(Part):
    """The images that the run saw."""

    name: str
    """A short name that stands for these images in the report, such as `cifar10`."""
    origin: str
    """How they were had: `keras`, `parquet` or `sample`."""
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    """The name of each class; a label is an index into it."""
    image_shape: tuple[int, int, int]
    """Height, width, channels, in pixels, as stored (a project may resize)."""
    train: Count
    validation: Count
    test: Positive
    """Images in each part of the split."""
    sha256: Sha256
    """Over the pixels and labels of all images, in the order of the files."""
    split_sha256: Sha256
    """Over the indices of the training and the validation images, in order."""


class Environment(Part):
    """The machine and the programs."""

    python: str
    backend: str
    """The library that Keras computed with, and its version: `tensorflow 2.21.0`."""
    packages: dict[str, str]
    """Version by package name, of those that can change a number."""
    platform: str
    """Operating system and architecture: `Linux x86_64`."""
    device: str
    """The processor that trained, by its model name."""
    processor_kind: str | None = None
    """What tells the machine's processor from others of the same name, for a virtual machine may call all generations
    of it `AMD EPYC`: maker, family, model, stepping and vector instructions. None in records of before this field.
    """
    cores: Positive
    side_by_side: Positive = 1
    """How many trainings shared the machine, this one included. Where there were several, its seconds tell how long it
    lasted and not how long it takes."""
    memory_gib: Annotated[float, Field(gt=0)]
    deterministic: bool = False
    """Whether only operations were allowed that compute the same bits twice; records of before this field asked for
    none of it."""
    git_commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None
    """The commit of the sources; None outside a git checkout."""
    git_clean: bool | None
    """Whether the files that git tracks were as committed."""


class Stopping(Part):
    """How early stopping ended the run, and which epoch's weights were kept."""

    reason: Literal["val_loss", "val_accuracy", "both", "none"]
    """The quantity whose patience ran out; `none`: the last epoch came first."""
    restored_epoch: Positive
    """The epoch (from 1) whose weights were measured; the last one if none was restored."""


class Mistake(Part):
    """A test image that the network got wrong with confidence."""

    index: Count
    """The image's position in the test set."""
    label: Count
    prediction: Count
    probability: Fraction
    """What the network gave its wrong prediction."""


class Canary(Part):
    """A deterministic miniature of the run, on the embedded sample: cheap to repeat, sensitive to any change of code.

    It tells a rearranged program from one that computes something else. See `experiments.canary`.
    """

    step_losses: Annotated[tuple[float, ...], Field(min_length=1)]
    """Cross-entropy of the first training steps, to full precision."""
    epochs: Annotated[tuple[Epoch, ...], Field(min_length=1)]
    """The miniature's history; its seconds are zero, for they never repeat."""
    stopping: Stopping
    test: Metrics
    split_sha256: Sha256
    order_sha256: Sha256
    """Over the order in which the first epochs draw the training images."""


class Record(Part):
    """One run: one project, one seed, one machine."""

    schema_version: Literal[1] = SCHEMA_VERSION
    project: Identifier
    variant: Slug | None = None
    """What tells the run from those of the project as it is declared, in a word; None for those."""
    seed: Count
    profile: Literal["full", "smoke"]
    """`smoke`: a run of a minute that proves that everything works; its numbers mean nothing."""
    precision: str
    """The policy of the arithmetic, by Keras's name for it: `float32`, `mixed_bfloat16`."""
    command: str
    """What to type, in the root of the repository, to repeat the run."""
    started: AwareDatetime
    seconds: Seconds
    """Training alone, validation included, by the wall clock."""
    script: str
    """The project's file, relative to the root of the repository, with `/`."""
    sources: dict[str, Sha256]
    """The fingerprint of the script and of every source file that it depends on, by relative path."""
    dataset: Dataset
    environment: Environment
    network: Network
    settings: dict[str, Setting]
    """Everything that was chosen and is not a layer, by its name."""
    history: tuple[Epoch, ...]
    """Epoch by epoch; empty where only the outcome is known."""
    stopping: Stopping
    train: Metrics
    validation: Metrics
    test: Metrics
    """Measured with the weights that were kept, without dropout or augmentation."""
    confusion: tuple[tuple[Count, ...], ...]
    """Test images by label (row) and prediction (column)."""
    mistakes: tuple[Mistake, ...]
    """Most confident first."""
    canary: Canary

    @property
    def key(self) -> tuple[str, str | None, int]:
        """What tells it from every other run: project, variant, seed."""
        return (self.project, self.variant, self.seed)

    @model_serializer(mode="wrap")
    def _without_an_empty_variant(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Records of before there were variants stay as they are."""
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if name != "variant" or value is not None}

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        classes = len(self.dataset.classes)
        if len(self.confusion) != classes or any(len(row) != classes for row in self.confusion):
            raise ValueError(f"confusion must be {classes} x {classes}, one row and one column for each class")
        seen = sum(map(sum, self.confusion))
        if seen != self.dataset.test:
            raise ValueError(f"confusion counts {seen} images, but dataset.test is {self.dataset.test}")
        right = sum(self.confusion[k][k] for k in range(classes))
        if not math.isclose(right, self.test.accuracy * seen, abs_tol=0.5):
            raise ValueError(f"confusion has {right} of {seen} right, but test.accuracy is {self.test.accuracy}")
        if self.history and self.stopping.restored_epoch > len(self.history):
            raise ValueError(
                f"stopping.restored_epoch is {self.stopping.restored_epoch}, but there are {len(self.history)} epochs"
            )
        if self.script not in self.sources:
            raise ValueError(f"sources lacks the script itself, {self.script}")
        if any(not max(wrong.label, wrong.prediction) < classes for wrong in self.mistakes):
            raise ValueError(f"mistakes names a class outside the {classes} of the data set")
        return self


class Confirmation(Part):
    """A proof that the sources of a later day still do what the record says: the canary was repeated and agreed."""

    confirmed: AwareDatetime
    sources: dict[str, Sha256]
    environment: Environment
    exact: bool
    """Bit for bit; otherwise within the tolerance."""
    largest_difference: Annotated[float, Field(ge=0)]
    """The largest relative difference between the two canaries."""

    @property
    def content(self) -> dict[str, Any]:
        """What it says, whenever it was said and whatever else was committed by then."""
        return self.model_dump(exclude={"confirmed": True, "environment": {"git_commit", "git_clean"}})


class Confirmations(Part):
    """All confirmations of one record, oldest first."""

    schema_version: Literal[1] = SCHEMA_VERSION
    confirmations: tuple[Confirmation, ...] = ()


class Declaration(Part):
    """What a project would train, resolved: read off the network as built and written down without training it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    project: Identifier
    script: str
    """The project's file, relative to the root of the repository, with `/`."""
    sources: dict[str, Sha256]
    """The fingerprint of the script and of every script that it takes parts from, by relative path."""
    network: Network
    inner: dict[str, tuple[Layer, ...]]
    """The layers of each layer that is a network of its own, by that layer's name."""
    settings: dict[str, Setting]
    precision: str


Document = TypeVar("Document", bound=Part)


def folder(results: Path, project: str, seed: int, variant: str | None = None) -> Path:
    """Where the run of `project` with `seed` keeps its record and figures."""
    return results / project / (variant or "") / f"seed-{seed}"


def folder_of(record: Record, results: Path) -> Path:
    """Where `record` and its figures stand below `results`."""
    return folder(results, record.project, record.seed, record.variant)


def read(file: Path) -> Record:
    """Read and validate one record.

    Raises:
        RecordError: the file is missing, truncated, of another version, or a field is missing or wrong.
    """
    return read_as(file, Record)


def files(results: Path) -> list[Path]:
    """Every file of a record below `results`, those of variants too, sorted.

    Raises:
        RecordError: one stands where no run has its place, and would be passed over.
    """
    places = (f"*/seed-*/{RECORD_FILE}", f"*/*/seed-*/{RECORD_FILE}")
    # `**` goes into no folder that is a link, and a project's may be one.
    found = sorted({*results.rglob(RECORD_FILE), *(file for place in places for file in results.glob(place))})
    for file in found:
        *above, own = file.relative_to(results).parts[:-1] or ("",)
        if len(above) not in (1, 2) or not re.fullmatch(r"seed-(0|[1-9][0-9]*)", own):
            read_own(file, results)  # says where it should stand
    return found


def read_own(file: Path, results: Path) -> Record:
    """Read one record below `results`, which must stand in its own folder.

    Raises:
        RecordError: the file cannot be read, or stands in the folder of another run, or in none of a run.
    """
    record = read(file)
    expected = folder_of(record, results)
    if file.parent != expected:
        place, here = expected.relative_to(results).parts, file.parent.absolute()
        remedy = "Move it there, or delete it."
        if here.parts[-len(place) :] == place:  # right in itself: perhaps another folder of results is meant
            meant = here.parents[len(place) - 1]
            remedy = (
                f"Name {meant} for the results if that is what holds the projects; else move it there, or delete it."
            )
        elif (expected / RECORD_FILE).exists():
            remedy = f"There is one already: delete this one, or move it out of {results}."
        raise RecordError(
            f"{file}: this is the record of {' '.join(filter(None, record.key[:2]))} with seed {record.seed}, "
            f"expected in {expected}. {remedy}"
        )
    return record


def read_all(results: Path) -> tuple[Record, ...]:
    """Read every record below `results`, sorted by project, variant and seed.

    Raises:
        RecordError: a file cannot be read, or stands in a folder that is not its own.
    """
    records = (read_own(file, results) for file in files(results))
    return tuple(sorted(records, key=lambda record: (record.project, record.variant or "", record.seed)))


def renamed(runs: Sequence[Record]) -> tuple[str, str] | None:
    """How `runs` on the same images call the same classes differently, in a clause, and the command that trains those
    anew whose names are not the latest; None where they do not.
    """
    latest = max(runs, key=lambda run: run.started)
    others = [run for run in runs if run.dataset.classes != latest.dataset.classes]
    images = {(run.dataset.name, run.dataset.sha256, len(run.dataset.classes)) for run in runs}
    if not others or len(images) > 1:
        return None
    was, now = other_names(others[0].dataset.classes, latest.dataset.classes)
    seeds = [str(run.seed) for run in others]
    which = f"seed {seeds[0]} says" if len(seeds) == 1 else f"seeds {', '.join(seeds)} say"
    every = " ".join(f"--seed {seed}" for seed in seeds)
    command = others[0].command.replace(f"--seed {seeds[0]}", every, 1)
    return f"{which} {was} where the latest, seed {latest.seed}, says {now}", command


def other_names(classes: Sequence[str], others: Sequence[str]) -> tuple[str, str]:
    """Those of the `classes` that have another name among the `others`, and those names, short enough to be told."""
    pairs = [(one, other) for one, other in zip_longest(classes, others, fillvalue="nothing") if one != other]
    was, now = (shorten(", ".join(pair[k] for pair in pairs), 60, placeholder=" …") for k in (0, 1))
    return was, now


def write(record: Record, results: Path) -> Path:
    """Write `record` into its folder below `results`, whole or not at all, and return the file."""
    return write_as(record, folder_of(record, results) / RECORD_FILE)


def read_confirmations(record_folder: Path) -> tuple[Confirmation, ...]:
    """Read the confirmations beside a record, oldest first; none where there is no such file.

    Raises:
        RecordError: the file cannot be read.
    """
    file = record_folder / CONFIRMATIONS_FILE
    return read_as(file, Confirmations).confirmations if file.exists() else ()


def confirm(confirmation: Confirmation, record_folder: Path) -> Path:
    """Append `confirmation` to those beside a record if it says anything new; the record itself is never touched.

    Raises:
        RecordError: those that stand there cannot be read.
    """
    known = read_confirmations(record_folder)
    if any(one.content == confirmation.content for one in known):
        return record_folder / CONFIRMATIONS_FILE
    return write_as(Confirmations(confirmations=(*known, confirmation)), record_folder / CONFIRMATIONS_FILE)


def read_declarations(declared: Path) -> dict[str, Declaration]:
    """Read every declaration in a folder, by project; none where there is no such folder.

    Raises:
        RecordError: a file cannot be read, or is named after another project.
    """
    found = {}
    for file in sorted(declared.glob("*.json")):
        declaration = read_as(file, Declaration)
        if file.stem != declaration.project:
            raise RecordError(f"{file}: this is the declaration of {declaration.project}, expected its name to say so.")
        found[declaration.project] = declaration
    return found


def write_declaration(declaration: Declaration, declared: Path) -> Path:
    """Write `declaration` into its file in the folder `declared`, whole or not at all, and return the file."""
    return write_as(declaration, declared / f"{declaration.project}.json")


def read_as(file: Path, form: type[Document]) -> Document:
    """Read and validate a file of one of this program's formats; its version is the default of `schema_version`.

    Raises:
        RecordError: the file is missing, truncated, of another version, or a field is missing or wrong.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{file}: there is no such file, expected a {form.__name__.lower()}.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise RecordError(f"{file}: cannot be read as UTF-8 text ({problem}).") from problem
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        # Numbers of thousands of digits and lists in lists without end are told without their place.
        place, why = "", str(problem)
        if isinstance(problem, json.JSONDecodeError):
            place, why = f", line {problem.lineno}, column {problem.colno}", problem.msg
        raise RecordError(
            f"{file}{place}: not valid JSON ({why}); "
            "the file may be truncated. Restore it with git, or make it again with the command that wrote it."
        ) from problem
    if not isinstance(content, dict):
        raise RecordError(f"{file}: expected a JSON object, found {type(content).__name__}.")
    version, expected = content.get("schema_version"), form.model_fields["schema_version"].default
    if version != expected or type(version) is not int:  # true and 1.0 are equal to 1 as well
        raise RecordError(
            f"{file}: schema_version is {json.dumps(version)}, expected {expected}. "
            "It was written by another version of this program; use that one, or make the file again with the command "
            "that wrote it."
        )
    try:
        return form.model_validate(content)
    except ValidationError as problem:
        raise RecordError(f"{file}: " + "; ".join(_complaints(problem, expected))) from problem


def _complaints(problem: ValidationError, version: int) -> Iterator[str]:
    """Each wrong field in words: where it is, what was expected, what was found."""
    for error in problem.errors(include_url=False):
        field = ".".join(str(part) for part in error["loc"]) or "the record"
        if error["type"] == "missing":
            yield f"field {field} is missing"
        elif error["type"] == "extra_forbidden":
            yield f"field {field} is unknown to version {version}"
        else:
            found = json.dumps(error["input"], default=str)
            shown = f", found {found if len(found) <= 60 else found[:57] + '...'}" if error["loc"] else ""
            yield f"field {field}: {error['msg'].removeprefix('Value error, ')}{shown}"


def write_as(document: Part, file: Path) -> Path:
    """Write `document` into `file`, whole or not at all; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, dumps(document))
    return file


def dumps(document: Part) -> str:
    """The JSON text of a record: fields in the order of the types, short lists on one line, for a readable diff."""
    return _indent(document.model_dump(mode="json")) + "\n"


def _indent(value: Any, depth: int = 0) -> str:
    """Indented JSON in which whatever fits on a line stays on one line."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or (depth > 0 and len(line) + 2 * depth <= 120):
        return line
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {_indent(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * depth + "}"
    return "[\n" + ",\n".join(inner + _indent(item, depth + 1) for item in value) + "\n" + "  " * depth + "]"


def check_writable(folder: Path, remedy: str = "Name another one.") -> None:
    """Make `folder` if need be and see that files can be written there, before anything is computed that goes there.

    Raises:
        ReportError: they cannot; the message ends in the `remedy`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise ReportError(
            f"{folder}: expected a folder to write to, and it is none ({problem.strerror}). {remedy}"
        ) from problem


def slug(words: str) -> str:
    """`words` as a part of a file's name that every system takes, in lower case; empty if nothing is left of them."""
    return re.sub(r"[^a-z0-9_.-]+", "-", words.lower()).strip("-._")


def write_atomically(file: Path, text: str) -> None:
    """Write `text` as UTF-8: a reader sees the old content or the new."""
    with replacing(file) as stream:
        stream.write(text.encode("utf-8"))


def write_together(contents: dict[Path, bytes]) -> None:
    """Write several files: none takes its place before all are on the disk, and then each does, in their order."""
    with ExitStack() as stack:
        for file in reversed(contents):  # what a stack enters last it leaves first
            stream = stack.enter_context(replacing(file))
            stream.write(contents[file])
            stream.flush()
            os.fsync(stream.fileno())


@contextmanager
def replacing(file: Path, lasting: bool = True) -> Iterator[BinaryIO]:
    """A stream to a temporary file beside `file`, which takes its place when all is written, and never before.

    `lasting` waits until the disk has it, so that it outlives a power cut. What can be made again need not wait.
    """
    # Made by `open` and not by `tempfile`, whose files only their owner reads: who may read this one, the umask says.
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as stream:
            yield stream
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def clear_unfinished(file: Path) -> None:
    """Delete what a process that was killed left of replacing `file`; nobody else may be replacing it now."""
    for temporary in file.parent.glob(f".{file.name}.*"):
        temporary.unlink(missing_ok=True)
