"""What arithmetic in sixteen bits costs in accuracy: the same project and seeds trained in both, on the same images.

Unlike the other comparisons this one trains to the end, for minutes a seed. The runs stay in `build/`, so that a bench
that is repeated finds them up to date; in float32 the recorded runs serve, where they saw the same images and were
trained on the same device by the same backend: nothing but the arithmetic may tell the two apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from rich.console import Console

from experiments import data
from experiments.comparison.training import FASTER
from experiments.environment import ROOT, cores, describe
from experiments.executor import Local
from experiments.job import RESULTS, SEEDS, Job
from experiments.run import run
from experiments.standing import Explicit, other_images, standing
from reportgen import record
from reportgen.bench import Comparison
from reportgen.errors import ReportError
from reportgen.record import Environment, Record

SCRATCH = ROOT / "build" / "bench"
USUAL = "float32"


def comparisons(identifier: str, source: str, seeds: Sequence[int] = SEEDS) -> Iterator[Comparison]:
    """Test accuracy, in per cent, seed by seed.

    Raises:
        ReportError: a run failed; it has said why.
    """
    here = _trainer(describe())
    runs = {(seed, USUAL): found for seed in seeds if (found := _recorded(identifier, source, seed, here))}
    missing = [pair for pair in itertools.product(seeds, (USUAL, FASTER)) if pair not in runs]
    runs |= dict(zip(missing, _trained(identifier, source, missing), strict=True))
    yield Comparison(
        group="precision",
        subject=identifier,
        unit="%",
        measured=tuple(100 * runs[seed, FASTER].test.accuracy for seed in seeds),
        against=USUAL,
        reference=tuple(100 * runs[seed, USUAL].test.accuracy for seed in seeds),
    )


def _recorded(identifier: str, source: str, seed: int, trainer: tuple[str, str]) -> Record | None:
    """The recorded run, if it is up to date and was trained in the usual precision on the images of `source`, by this
    `trainer`.
    """
    now = standing(RESULTS, identifier, seed)
    if now.state != "up to date" or now.record is None:
        return None
    alike = now.record.precision == USUAL and not other_images(source, now.record)
    return now.record if alike and _trainer(now.record.environment) == trainer else None


def _trainer(environment: Environment) -> tuple[str, str]:
    """The device, and the backend without its version."""
    return environment.device, environment.backend.partition(" ")[0]


def _trained(identifier: str, source: str, wanted: Sequence[tuple[int, str]]) -> list[Record]:
    """Runs of the full profile, by seed and precision, side by side; what is up to date is not trained again."""
    results = SCRATCH / data.name_of(source)
    jobs = [Job(identifier, seed, "full", precision, source, results / precision) for seed, precision in wanted]
    executor = Local(min(len(jobs), cores()))
    failed = run(jobs, Console(stderr=True), executor, Explicit(data=True, precision=True))
    if failed:
        names = ", ".join(f"{job.name} in {job.precision}" for job in failed)
        raise ReportError(f"{names} could not be trained, so that nothing is compared.")
    return [record.read(job.folder / record.RECORD_FILE) for job in jobs]
