"""`python -m experiments`: list, declare, train, replay and measure the projects, and pretrain what some start from."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from experiments import backend, catalogue, data, downloads
from experiments.catalogue import EXTRA
from experiments.ending import end_when_asked
from experiments.environment import BACKENDS, COMPILED, ROOT, USUAL_BACKEND, cores, python, refuse_own_keras
from experiments.executor import Executor, Local, Ray
from experiments.job import RESULTS, SEEDS, Job, Sizes, repeated, scaled, spoken
from experiments.precision import PRECISIONS, check_precision
from experiments.replay import Verdict, end_canaries, replay
from experiments.run import CutOff, run
from experiments.standing import Explicit, standing
from experiments.vgg16 import SMALLEST, from_file, start_of, stem_of
from reportgen import record
from reportgen.errors import ReportError, refuse_empty, refused, speak_freely
from reportgen.errors import told as said_of

app = typer.Typer(
    help="Train the projects of the report and keep a record of each run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

PROFILES = ("full", "smoke")
PREPROCESSINGS = ("study", "weights")
EXECUTORS = ("local", "ray")
SCRATCH = ROOT / "build"
BENCHES = ROOT / "experiments" / "benches"
LARGEST_SEED = 2**32 - 1
"""NumPy's."""
SMOKES = 2
"""Smoke runs side by side unless a user says otherwise; more of VGG16 would take more memory than many have."""

Projects = Annotated[
    list[str] | None, typer.Argument(help="Projects by name or number (p00_base, base, 0); all if none is named.")
]
Results = Annotated[Path, typer.Option("--results", help="The folder of the recorded runs.", show_default=False)]
ImageSize = Annotated[
    int | None,
    typer.Option(
        "--image-size", min=1, help="Side in pixels to which images are resized.", show_default="the project's"
    ),
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", min=1, help="Images per batch.", show_default="the project's")
]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        min=1,
        help="The most epochs; a learning rate that rises and falls once does so in these.",
        show_default="the project's",
    ),
]
Preprocessing = Annotated[
    str,
    typer.Option(
        help="`study`: pixels scaled as the project declares. `weights`: as the weights of Projects 7 to 10 expect."
    ),
]
AllowUnfinished = Annotated[
    bool, typer.Option("--allow-unfinished", help="Take weights whose pretraining has not ended.")
]
RandomWeights = Annotated[
    bool,
    typer.Option(
        "--random-weights", help="Start Projects 7 to 10 from random weights: a control of what the others are worth."
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--vgg16-weights",
        help="VGG16 weights (.h5 or .weights.h5) for Projects 7 to 10.",
        show_default="ImageNet's, by Keras",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="`keras` (downloads CIFAR-10), `sample` (500 embedded images), or a folder of Parquet files.",
        show_default="the folder in CIFAR10_DIR, else keras",
    ),
]


def _seeds(usual: str) -> Any:
    """The option that names seeds, for a command that without it takes the `usual` ones."""
    return typer.Option("--seed", min=0, max=LARGEST_SEED, help="A seed; repeat for several.", show_default=usual)


@app.command("list")
def list_projects() -> None:
    """Show every project and what it tries."""
    table = Table("project", "what it tries", "batch", "epochs", "patience", title="Projects")
    for identifier in catalogue.identifiers():
        training = catalogue.load(identifier).training
        patience = ", ".join(sorted({str(rule.patience) for rule in training.early_stopping}))
        table.add_row(
            identifier, catalogue.summary(identifier), str(training.batch_size), str(training.epochs), patience
        )
    console.print(table)


def _by_project(results: Path) -> dict[str, list[Path]]:
    """The files of all records below `results`, of variants too, by project; also of one whose script is gone."""
    found: dict[str, list[Path]] = {}
    for file in record.files(results):
        found.setdefault(file.relative_to(results).parts[0], []).append(file)
    return found


def _seed_of(folder: Path) -> int:
    """The seed that the folder of a record is named after."""
    return int(folder.name.removeprefix("seed-"))


@app.command()
def status(
    projects: Projects = None,
    seed: Annotated[list[int] | None, _seeds("0, 1, 2, and all recorded")] = None,
    results: Results = RESULTS,
) -> None:
    """Show which runs are recorded, and whether today's sources still stand for them. Trains nothing."""
    if not results.is_dir():
        raise ReportError(f"{results}: there is no such folder, expected one of recorded runs.")
    table = Table("project", "seed", "state", "test accuracy", "data", "trained", title="Runs")
    found = _by_project(results)
    for identifier in _identifiers(projects):
        folders = [file.parent for file in found.get(identifier, ())]
        variants = {folder.parent.name for folder in folders} - {identifier}
        recorded = {_seed_of(folder) for folder in folders}
        for variant, number in product((None, *sorted(variants)), seed or sorted({*SEEDS, *recorded})):
            now = standing(results, identifier, number, variant)
            done = now.record
            if now.state == "missing" and (variant or (number not in SEEDS and not seed)):
                continue
            table.add_row(
                escape(" ".join(filter(None, (identifier, variant)))),
                str(number),
                now.state + (f": {escape(now.detail)}" if now.detail else ""),
                f"{done.test.accuracy:.2%}" if done else "",
                escape(done.dataset.name) if done else "",
                f"{done.started:%Y-%m-%d}, {done.seconds:.0f} s" if done else "",
            )
    console.print(table)
    if gone := sorted(found.keys() - {*catalogue.identifiers()}):
        console.print(
            f"Recorded, and without a script: {escape(', '.join(gone))}. Delete or move their folders in "
            f"{escape(str(results))}, or give the scripts back their names.",
            highlight=False,
            soft_wrap=True,
        )


@app.command("run")
def run_projects(
    projects: Projects = None,
    seed: Annotated[list[int] | None, _seeds("0, 1, 2; of smoke runs 0")] = None,
    source: Source = None,
    profile: Annotated[
        str,
        typer.Option(
            help="`full`: as the project declares. `smoke`: an epoch or two on the sample, VGG16 with random weights, "
            "to see that everything works."
        ),
    ] = "full",
    precision: Annotated[
        str | None,
        typer.Option(
            help=f"Keras's policy of arithmetic: {', '.join(PRECISIONS)}.",
            show_default="that of the record or of the other seeds, else float32",
        ),
    ] = None,
    vgg16_weights: Weights = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Only operations that compute the same bits twice on one machine."),
    ] = False,
    executor: Annotated[
        str, typer.Option(help="`local`: on this machine. `ray`: on a Ray cluster, which the extra `ray` is for.")
    ] = "local",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            help="How many runs side by side, each with its share of the cores.",
            show_default="1; of smoke runs, which mostly start up, 2",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="The Ray cluster's head.", show_default="RAY_ADDRESS, or the cluster this machine belongs to"
        ),
    ] = None,
    preprocessing: Preprocessing = "study",
    allow_unfinished: AllowUnfinished = False,
    random_weights: RandomWeights = False,
    image_size: ImageSize = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    force: Annotated[bool, typer.Option("--force", help="Train even what is up to date.")] = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Start over what was cut off, instead of resuming after its last saved epoch."),
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Where records go.",
            show_default="experiments/results; a folder of build/ for smoke runs and the sample",
        ),
    ] = None,
) -> None:
    """Train what is missing or stale; leave what is up to date.

    A record whose sources changed is first replayed: a few seconds tell whether the change mattered. Each run has a
    process of its own, and one that fails does not stop the others. The exit status is 1 if any failed. With the
    same command, a run that was cut off resumes after the last epoch that it saved, on a cluster only if it comes to
    a node that kept its checkpoint; --restart starts it over.

    On other weights than ImageNet's or on none, with --preprocessing weights, or in other sizes than the project's
    (--image-size, --batch-size, --epochs), a run is a variant: its record stands beside the project's own, in a folder
    that is named after it.

    On two processor cores an epoch of Project 0 takes about 7 seconds, of Project 1 about 17.
    """
    if profile not in PROFILES:
        raise ReportError(f"Unknown profile {profile!r}: expected one of {', '.join(PROFILES)}.")
    if preprocessing not in PREPROCESSINGS:
        raise ReportError(f"Unknown preprocessing {preprocessing!r}: expected one of {', '.join(PREPROCESSINGS)}.")
    if precision is not None:
        check_precision(precision)
    if random_weights and (vgg16_weights or preprocessing != "study" or allow_unfinished):
        raise ReportError(
            "--random-weights starts from none: leave out --vgg16-weights, --preprocessing and --allow-unfinished."
        )
    if epochs and profile == "smoke":
        raise ReportError("A smoke run has an epoch or two, so that --epochs would change nothing; leave it out.")
    identifiers = _identifiers(projects)
    chosen = _images(source or ("sample" if profile == "smoke" else _usual_source()))
    if results is None:
        # Neither a smoke run nor the sample may ever replace a recorded run.
        kind = "smoke" if profile == "smoke" else "sample" if chosen == "sample" else None
        results = SCRATCH / kind if kind else RESULTS
    if results.resolve().is_relative_to(RESULTS) and (profile == "smoke" or chosen == "sample"):
        what = "A smoke run" if profile == "smoke" else "A run on the sample"
        raise ReportError(
            f"{what} cannot go into experiments/results, where the recorded runs are; name another folder."
        )
    if RESULTS in results.resolve().parents:
        raise ReportError(f"{results}: below experiments/results stand the recorded runs alone; name another folder.")
    asked = [
        Job(
            identifier,
            number,
            profile,
            precision or "float32",
            chosen,
            results.resolve(),
            vgg16_weights=vgg16_weights and vgg16_weights.resolve(),
            restart=restart,
            # A smoke run is too short to pay for a second process that sings its canary.
            deterministic=deterministic or profile == "smoke",
            sizes=Sizes(image_size, batch_size, epochs),
            preprocessing=preprocessing,
            allow_unfinished=allow_unfinished,
            random_weights=random_weights,
        )
        for identifier in identifiers
        for number in dict.fromkeys(seed or ((SEEDS[0],) if profile == "smoke" else SEEDS))
    ]
    on_weights = {
        "--vgg16-weights": vgg16_weights is not None,
        "--preprocessing": preprocessing != "study",
        "--allow-unfinished": allow_unfinished,
        "--random-weights": random_weights,
    }
    if any(on_weights.values()) and not any(job.chooses_weights for job in asked):
        without = (
            "In a smoke run, VGG16 starts" if profile == "smoke" else f"{', '.join(identifiers)}: the network starts"
        )
        named = ", ".join(name for name, given in on_weights.items() if given)
        raise ReportError(f"{without} from random weights, so that {named} would change nothing; leave it out.")
    chosen_executor = _executor(executor, jobs, address, min(SMOKES, cores(), len(asked)) if profile == "smoke" else 1)
    where = (("--executor", executor) if executor == "ray" else ()) + (("--address", address) if address else ())
    beside = ("--jobs", str(jobs)) if jobs else ()
    with _resumable(force=force, restart=restart, cluster=executor == "ray", how=(*where, *beside)):
        explicit = Explicit(data=source is not None, precision=precision is not None, force=force)
        failed = run(asked, console, chosen_executor, explicit)
    if failed:
        errors.print(f"[red]{len(failed)} of {len(asked)} runs failed.[/]")
        raise typer.Exit(1)


@app.command()
def pretrain(
    source: Annotated[
        Path,
        typer.Option(
            "--data",
            envvar="TINY_IMAGENET_DIR",
            help="A folder of Parquet files, train-*.parquet and valid-*.parquet, with the columns image and label.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What the set is called.", show_default="like the folder")] = None,
    image_size: Annotated[
        int, typer.Option(min=SMALLEST, help="Side in pixels of the images to train on; 32 suits a CPU.")
    ] = 64,
    epochs: Annotated[int, typer.Option(min=1)] = 60,
    batch_size: Annotated[int, typer.Option(min=1)] = 256,
    steps_per_epoch: Annotated[
        int | None, typer.Option(min=1, help="Batches in an epoch.", show_default="one pass over the set")
    ] = None,
    learning_rate: Annotated[float, typer.Option(min=1e-6, help="Its highest value.")] = 5e-4,
    smallest_crop: Annotated[
        float, typer.Option(min=0.05, max=1, help="The smallest part of an image that a crop shows.")
    ] = 0.35,
    cutmix: Annotated[
        float, typer.Option(min=0, max=1, help="The share of images onto which a piece of another is pasted.")
    ] = 0.0,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.95, help="The share of the last features that dropout hides in each step.")
    ] = 0.2,
    weight_decay: Annotated[
        float,
        typer.Option(
            min=0, help="Decoupled weight decay: each step shrinks the weights by this times the learning rate."
        ),
    ] = 0.05,
    precision: Annotated[str, typer.Option(help=f"Keras's policy of arithmetic: {', '.join(PRECISIONS)}.")] = "float32",
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED)] = 0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over, whether it was cut off or has finished.")
    ] = False,
    weights: Annotated[
        Path | None, typer.Option("--output", help="Where weights go.", show_default="build/pretraining")
    ] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Where the record goes.", show_default="experiments/pretraining")
    ] = None,
) -> None:
    """Train VGG16 on a labelled set of images, and leave weights that `run --vgg16-weights` takes.

    After each epoch it leaves weights, a card that says what they are, and a record; where epochs take seconds, only
    after some. With the same command, a pretraining that was cut off resumes after the last epoch that it saved; one
    that has finished is left as it is.
    """
    check_precision(precision)
    os.environ.update(COMPILED | os.environ)  # before a backend is imported, which reads it then
    backend.load()
    from experiments import labelled
    from experiments.memory import enough_memory
    from experiments.pretrain import RECORDS, WEIGHTS, Recipe
    from experiments.pretrain import pretrain as train_anew

    recipe = Recipe(
        image_size=image_size,
        epochs=epochs,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        learning_rate=learning_rate,
        smallest_crop=smallest_crop,
        cutmix=cutmix,
        dropout=dropout,
        weight_decay=weight_decay,
        precision=precision,
        seed=seed,
    )
    with _resumable(restart=restart):
        images = labelled.load(source, image_size, name)
        console.print(escape(images.summary), highlight=False)
        with enough_memory(batch_size, image_size):
            done = train_anew(
                images,
                recipe,
                weights=(weights or WEIGHTS).resolve(),
                records=(records or RECORDS).resolve(),
                restart=restart,
            )
    last = done.pretraining.history[-1]
    how = "pretrained before, and left as it is; --restart starts it over" if done.before else "pretrained"
    console.print(
        f"[green]{escape(images.name)}: {how}[/], {last.val_top1:.2%} of the images for validation right at the first "
        f"guess, {last.val_top5:.2%} within five.",
        highlight=False,
    )
    console.print(f"Weights: {done.weights}\nRecord: {done.record}", markup=False, highlight=False, soft_wrap=True)


@app.command("features")
def examine_features(
    vgg16_weights: Weights = None,
    source: Source = None,
    image_size: Annotated[
        list[int] | None,
        typer.Option(
            "--image-size",
            min=SMALLEST,
            help="Side in pixels to which images are resized; repeat to compare sizes. The first is shown.",
            show_default=str(SMALLEST),
        ),
    ] = None,
    allow_unfinished: AllowUnfinished = False,
    records: Annotated[
        Path | None,
        typer.Option(
            "--records",
            help="Where the record and its pictures go, in a folder that is named after the weights.",
            show_default="experiments/pretraining; for the sample build/pretraining",
        ),
    ] = None,
) -> None:
    """Show what weights of VGG16 see: the filters of the first layer, and the test images that they find alike.

    Trains nothing. Beside the weights stand two controls, weights that were just drawn and the pixels themselves.
    Pixels are prepared as the weights' card says, else as VGG16's authors did, and for comparison as the study did.
    6,000 images of 32 pixels take about two minutes on two cores, of 64 pixels four times as long.
    """
    chosen = source or _usual_source()
    # A mistake is told before the backend, which takes seconds, is imported.
    start = start_of(vgg16_weights, allow_unfinished=allow_unfinished)
    images = downloads.images(chosen)
    backend.load()
    from experiments.features import BATCH, examine
    from experiments.memory import enough_memory
    from experiments.pretrain import RECORDS, WEIGHTS

    pretrained = from_file(vgg16_weights) if vgg16_weights else downloads.weights()
    # As with runs: what the sample gives never stands among the records.
    records = (records or (WEIGHTS if chosen == "sample" else RECORDS)).resolve()
    # As in the records of runs on them: a file's name must not make weights what they are not.
    stem = stem_of(vgg16_weights) if vgg16_weights and start.card else start.name
    options = f" --vgg16-weights {shlex.quote(vgg16_weights.name)}" if vgg16_weights else ""
    options += "".join(f" --image-size {side}" for side in image_size or ())
    options += " --allow-unfinished" if allow_unfinished else ""
    sizes = image_size or [SMALLEST]
    with enough_memory(BATCH, max(sizes), "--image-size"):
        found = examine(
            pretrained,
            start,
            images,
            sizes,
            records / stem,
            f"{python()} -m experiments features{options} --data {spoken(chosen)}",
            console,
        )
    table = Table(
        "compared by", "pixels prepared", "size", "same class", title=f"Neighbours by {escape(found.weights)}"
    )
    for share in found.shares:
        table.add_row(share.compared_by, share.preprocessing or "", str(share.image_size), f"{share.same_class:.2%}")
    console.print(table)
    console.print(
        f"Of the {found.nearest} images most like each of {found.images:,}.\nRecord: {escape(str(records / stem))}",
        highlight=False,
    )


@app.command("replay")
def replay_projects(
    projects: Projects = None,
    seed: Annotated[list[int] | None, _seeds("all recorded")] = None,
    results: Results = RESULTS,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="How many canaries side by side; they mostly start up.")
    ] = 2,
) -> None:
    """Repeat the canary of recorded runs and append a confirmation where it agrees.

    Exit status 1 unless all are confirmed.
    """

    def again(file: Path) -> Verdict:
        try:
            return replay(results, record.read_own(file, results), console)
        except ReportError as problem:  # which keeps no other run from being replayed
            run_of = file.parent.relative_to(results).as_posix()
            console.print(f"[red]{run_of}: cannot be replayed.[/] {escape(str(problem))}", highlight=False)
            return "undecided"

    found = _by_project(results)
    files = (file for identifier in _identifiers(projects) for file in found.get(identifier, ()))
    chosen = [file for file in files if not seed or _seed_of(file.parent) in seed]
    if not chosen:
        raise ReportError(f"No recorded run in {results} to replay; `python -m experiments run` makes them.")
    pool = ThreadPoolExecutor(jobs)
    replays: list[Future[Verdict]] = []
    try:
        replays += (pool.submit(again, file) for file in chosen)
        ended = (one.result() for one in replays)
        verdicts = [*track(ended, "replaying", len(chosen), console=console, transient=True)]
    except KeyboardInterrupt:
        console.quiet = True  # that a canary was ended says nothing about its run
        pool.shutdown(wait=False, cancel_futures=True)
        # Ctrl+C passes by a canary that only begins, and one may begin just now.
        while any(one.running() for one in replays):
            end_canaries()
            time.sleep(0.05)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if any(verdict != "confirmed" for verdict in verdicts):
        raise typer.Exit(1)


@app.command("declare")
def declare_projects(projects: Projects = None) -> None:
    """Write down what each project would train, for the report to show it before it has run. Trains nothing."""
    backend.load()
    from experiments.declare import DECLARED, declare

    failed = []
    for identifier in _identifiers(projects):
        try:
            found = declare(identifier)
        except ReportError as problem:
            console.print(f"[red]{identifier}: {escape(str(problem))}[/]", highlight=False)
            failed.append(identifier)
            continue
        record.write_declaration(found, DECLARED)
        console.print(f"{identifier}: {found.network.parameters:,} parameters", highlight=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def sample(source: Annotated[str, typer.Option("--data", help="Your images, as for `run`.")]) -> None:
    """Put a few of your images in the place of the embedded ones. Records of runs with those become stale."""
    if source == "sample":
        raise ReportError("The sample cannot be taken of itself; name a folder of Parquet files with --data DIR.")
    from experiments.excerpt import excerpt

    record.check_writable(data.SAMPLE)
    train, test = excerpt(downloads.images(source))
    told = f"{train} images to train on and {test} to test on. Say in its README.md where they are from."
    console.print(f"experiments/sample: {told}", highlight=False, soft_wrap=True)


@app.command()
def bench(
    projects: Projects = None,
    source: Annotated[
        str, typer.Option("--data", envvar="CIFAR10_DIR", help="The images to measure with, as for `run`.")
    ] = "sample",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer rounds, and three projects unless others are named.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="Measure nothing but `commands`, `site`, `training`, `seeds` or `precision`; repeat for several.",
            show_default="all of them",
        ),
    ] = None,
    precise: Annotated[
        list[str] | None,
        typer.Option(
            "--precise",
            metavar="PROJECT",
            help="The project that is trained to the end in sixteen bits, with three seeds, for `precision`; "
            "repeat for several.",
            show_default="1 where it is measured, but not with --quick, nor on the sample",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The file of the comparisons.", show_default="experiments/benches/MACHINE.json"),
    ] = None,
) -> None:
    """Measure what the project promises, each figure beside its limit, and compare it with the usual ways.

    The comparisons are written to a file of experiments/benches/ that is named after the machine, and the report shows
    those of every machine; with --quick or --only they go to build/benches/. What a bench that is cut off has measured
    stands in build/benches/unfinished.json. With --only, no limit is checked. Exit status 1 if a limit is missed.
    """
    source = _images(source)
    downloads.refuse_keras_for_others(source)
    folder = SCRATCH / "benches" if quick or only else BENCHES
    record.check_writable(output.resolve().parent if output else folder)
    if output and output.is_dir():
        raise ReportError(f"{output}: expected a file to write to, found a folder.")
    from experiments.comparison.session import PARTS, PRECISE, QUICK, compare, told
    from experiments.limits import figures, recorded
    from reportgen.bench import write

    if unknown := sorted(set(only or ()) - set(PARTS)):
        raise ReportError(f"Unknown part of a bench {unknown[0]!r}: expected one of {', '.join(PARTS)}.")
    known = catalogue.identifiers()
    usual = [one for one in QUICK if one in known] if quick else catalogue.studied()
    identifiers = _identifiers(projects) if projects else usual
    if not identifiers:
        raise ReportError(f"Name the projects to measure, some of {', '.join(known)}: none is measured by itself here.")
    parts = set(only or PARTS)
    if precise:
        parts.add("precision")
    elif not only and (quick or source == "sample" or PRECISE not in identifiers):
        parts.remove("precision")  # it takes minutes a seed
    if "precision" in parts and source == "sample":
        raise ReportError("The 500 images of the sample tell nothing about accuracy; name others with --data.")

    if "precision" in parts and not precise and PRECISE not in known:
        raise ReportError(f"Name the project to train in sixteen bits with --precise, one of {', '.join(known)}.")
    if not only:
        recorded()  # without which no limit could be checked in the end

    chosen = _identifiers(precise) if precise else [PRECISE]
    unfinished = SCRATCH / "benches" / "unfinished.json"
    with _measuring(unfinished):
        for found in compare(identifiers, source, quick, parts=parts, precise=chosen):
            console.print("  ".join(told(found.comparisons[-1])), highlight=False, soft_wrap=True)
            write(found, unfinished)
    file = output or folder / found.file_name
    write(found, file)
    unfinished.unlink()
    console.print(f"Written to {escape(str(file))}.")

    if only:
        return
    table = Table("figure", "measured", "limit", "", title="Figures to reach")
    kept = True
    for figure in figures(source):
        kept = kept and figure.kept
        table.add_row(figure.name, figure.measured, figure.limit, "[green]kept[/]" if figure.kept else "[red]missed[/]")
    console.print(table)
    if not kept:
        raise typer.Exit(1)


@app.command(hidden=True)
def canary(
    identifier: str,
    seed: Annotated[int, typer.Option()],
    precision: Annotated[str, typer.Option()],
    image_size: ImageSize = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    pixel_scaling: Annotated[str | None, typer.Option()] = None,
    most_cores: Annotated[int | None, typer.Option("--cores", min=1)] = None,
) -> None:
    """Print a run's specification, canary and environment as one line of JSON."""
    if most_cores and hasattr(os, "sched_setaffinity"):  # before a backend counts them
        # Any of them, so that canaries side by side seldom share one.
        available = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, random.sample(available, min(most_cores, len(available))))
    backend.load()
    from experiments.canary import specify
    from experiments.environment import describe, use_deterministic_operations
    from experiments.memory import enough_memory

    use_deterministic_operations()
    declared = scaled(Sizes(image_size, batch_size, epochs).of(catalogue.load(identifier)), pixel_scaling)
    try:
        with enough_memory(declared.training.batch_size, declared.image_size):
            found = specify(declared, seed, precision)
    except ValidationError as problem:  # of which the last line, all that is told of this process, says nothing
        raise ReportError(f"{identifier}: {said_of(problem)}") from problem
    print(
        json.dumps({"specification": found.model_dump(mode="json"), "environment": describe().model_dump(mode="json")})
    )


@app.command("train", hidden=True)
def train_one(
    identifier: str,
    seed: Annotated[int, typer.Option()],
    profile: Annotated[str, typer.Option()],
    precision: Annotated[str, typer.Option()],
    source: Annotated[str, typer.Option("--data")],
    results: Annotated[Path, typer.Option()],
    vgg16_weights: Annotated[Path | None, typer.Option()] = None,
    restart: Annotated[bool, typer.Option("--restart")] = False,
    deterministic: Annotated[bool, typer.Option("--deterministic")] = False,
    image_size: ImageSize = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    preprocessing: Preprocessing = "study",
    allow_unfinished: AllowUnfinished = False,
    random_weights: RandomWeights = False,
) -> None:
    """Do one run in this process; the environment variables of determinism are set by who starts it."""
    backend.load()
    from experiments.worker import perform

    perform(
        Job(
            identifier,
            seed,
            profile,
            precision,
            source,
            results,
            vgg16_weights=vgg16_weights,
            restart=restart,
            deterministic=deterministic,
            sizes=Sizes(image_size, batch_size, epochs),
            preprocessing=preprocessing,
            allow_unfinished=allow_unfinished,
            random_weights=random_weights,
        )
    )


def _executor(name: str, jobs: int | None, address: str | None, usual: int) -> Executor:
    if name not in EXECUTORS:
        raise ReportError(f"Unknown executor {name!r}: expected one of {', '.join(EXECUTORS)}.")
    if name == "ray":
        if jobs is not None:
            raise ReportError("--jobs is for --executor local; on a cluster, each project's resources decide.")
        return Ray(address)
    if address:
        raise ReportError("--address names a Ray cluster; add --executor ray, or leave it out.")
    return Local(jobs or usual)


def _identifiers(words: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(catalogue.resolve(word) for word in words)) if words else catalogue.identifiers()


def _images(source: str) -> str:
    """Where images come from, for a process that starts elsewhere, perhaps on another machine.

    Raises:
        ReportError: there are none.
    """
    found = source if source in ("keras", "sample") else str(Path(source).resolve())
    data.name_of(found)
    return found


def _usual_source() -> str:
    """Where images come from if nobody says."""
    return os.environ.get("CIFAR10_DIR") or "keras"


@contextmanager
def _resumable(
    *, force: bool = False, restart: bool = False, cluster: bool = False, how: Sequence[str] = ()
) -> Iterator[None]:
    """Say what Ctrl+C leaves behind, and what goes on with it; `how` are options that say where runs are trained."""
    try:
        yield
    except KeyboardInterrupt as cut:
        goes_on = (
            "begins anew, but for a run that comes to a node which kept its checkpoint"
            if cluster
            else "resumes after the last epoch that was saved"
        )
        told = f"Cut off. The same command{' without --restart' if restart else ''} {goes_on}."
        if force and isinstance(cut, CutOff) and cut.recorded:
            left = "".join(f"\n  {' '.join([command, *how])}" for command in repeated(cut.left))
            told = (
                "Cut off. The same command would train again what it has recorded. "
                f"What is left {goes_on}. The command for it:{left}"
            )
        errors.print(escape(told), highlight=False, soft_wrap=True)
        raise typer.Exit(128 + signal.SIGINT) from None


@contextmanager
def _measuring(unfinished: Path) -> Iterator[None]:
    """Say where that stands which a bench has measured that is cut off, or of which a part fails."""
    unfinished.unlink(missing_ok=True)  # of another time
    try:
        yield
    except (KeyboardInterrupt, ReportError) as problem:
        kept = f" What was measured before stands in {unfinished}." if unfinished.exists() else ""
        if isinstance(problem, ReportError):
            raise ReportError(f"{problem}{kept}") from problem
        errors.print(f"Cut off.{escape(kept)}", soft_wrap=True)
        raise typer.Exit(128 + signal.SIGINT) from None


def _fail(why: str) -> NoReturn:
    errors.print(f"[red]error:[/] {escape(why)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def main() -> None:
    """Run the command line; a user's mistake is a sentence and exit status 1."""
    # The backends greet on stderr in dozens of lines that no user can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    speak_freely()
    end_when_asked()
    asked = "KERAS_BACKEND" in os.environ
    # Else Keras takes the backend that it finds in a file of the user's, of which nothing here would know.
    backend = os.environ.setdefault("KERAS_BACKEND", USUAL_BACKEND)
    try:
        if backend not in BACKENDS:
            raise ReportError(f"KERAS_BACKEND is {backend!r}, expected one of {', '.join(BACKENDS)}.")
        refuse_own_keras()
        refuse_empty(sys.argv[1:])
        downloads.refuse_unsound_images()
        app()
    except ReportError as problem:
        _fail(str(problem))
    except OSError as problem:
        if (why := refused(problem)) is None:
            raise
        _fail(why)
    except ModuleNotFoundError as problem:
        if problem.name in EXTRA:
            _fail(f"This needs {problem.name}, which is not installed; `pip install '.[experiments]'` adds it.")
        if problem.name not in BACKENDS[backend]:
            raise
        lacking = f"KERAS_BACKEND={backend} asks for {problem.name}, which is not installed"
        if backend != USUAL_BACKEND:
            _fail(f"{lacking}; `pip install '.[experiments,{backend}]'` adds it.")
        others = " or ".join(name for name in BACKENDS if name != backend)
        if not asked:
            lacking = f"Keras computes with {backend}, which is not installed"
        _fail(f"{lacking}; `pip install '.[experiments]'` adds it, or set KERAS_BACKEND to {others}.")


if __name__ == "__main__":
    main()
