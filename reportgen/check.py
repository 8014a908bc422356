"""What a writer should look at: records that today's sources no longer stand for."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen import fingerprint
from reportgen.edition import Material


@dataclass(frozen=True)
class Finding:
    """One thing to look at, and the command that mends it."""

    where: str
    what: str
    remedy: str


def check(material: Material) -> list[Finding]:
    """Every record whose sources changed since it was made or confirmed, by project and seed."""
    found = []
    for known in material.facts.values():
        for run in known.records:
            confirmations = material.confirmations[run.project, run.seed]
            changed = fingerprint.changed(run, confirmations, material.report.root)
            if changed:
                found.append(
                    Finding(
                        where=f"{run.project} seed {run.seed}",
                        what=f"unconfirmed: changed since the run are {', '.join(changed)}",
                        remedy=f"python -m experiments replay {run.project}",
                    )
                )
    return found
