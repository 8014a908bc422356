"""Records made up for tests: consistent in themselves, quick to make, and of nothing that was ever trained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from reportgen.features import Features
from reportgen.pretraining import Pretraining
from reportgen.record import Confirmation, Declaration, Environment, Record

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MANY = tuple(f"class {k}" for k in range(100))
"""As many classes as CIFAR-100 has."""
HASH = "0123456789abcdef" * 4
IMAGES = 100
"""Test images of each class."""


def epochs(count: int) -> list[dict[str, float]]:
    """A history of `count` epochs: training always gets better, validation until its last third."""
    turn = max(1, round(count * 2 / 3))
    return [
        {
            "accuracy": round(0.9 - 0.6 / epoch, 6),
            "cross_entropy": round(2.0 / epoch, 6),
            "val_accuracy": round(0.7 - 0.4 / epoch - 0.01 * max(0, epoch - turn), 6),
            "val_cross_entropy": round(1 + 1.2 / epoch + 0.02 * max(0, epoch - turn), 6),
            "seconds": 1.5,
        }
        for epoch in range(1, count + 1)
    ]


def record(
    project: str = "p00_base",
    seed: int = 0,
    *,
    length: int = 9,
    right: int = 60,
    classes: Sequence[str] = CLASSES,
    **changes: Any,
) -> Record:
    """A record of `length` epochs with `right` of each 100 test images right; `changes` replace whole fields."""
    script = f"experiments/projects/{project}.py"
    metrics = {"accuracy": right / IMAGES, "cross_entropy": 1.125}
    wrong = IMAGES - right
    content: dict[str, Any] = {
        "project": project,
        "seed": seed,
        "profile": "full",
        "precision": "float32",
        "command": f"python -m experiments run {project} --seed {seed}",
        "started": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        "seconds": 1.5 * length,
        "script": script,
        "sources": {script: HASH},
        "dataset": {
            "name": "sample",
            "origin": "sample",
            "classes": classes,
            "image_shape": (32, 32, 3),
            "train": 320,
            "validation": 80,
            "test": IMAGES * len(classes),
            "sha256": HASH,
            "split_sha256": HASH,
        },
        "environment": environment(),
        "network": {
            "name": "sequential",
            "layers": [
                {"name": "flatten", "type": "Flatten", "output_shape": (None, 3072), "parameters": 0},
                {"name": "dense", "type": "Dense", "output_shape": (None, 10), "parameters": 30730},
            ],
            "parameters": 30730,
            "trainable": 30730,
            "non_trainable": 0,
        },
        "settings": {"batch_size": 512, "epochs": 100, "learning_rate": 0.001, "optimizer": "Adam"},
        "history": epochs(length),
        "stopping": {"reason": "val_loss", "restored_epoch": max(1, round(length * 2 / 3))},
        "train": {"accuracy": 0.75, "cross_entropy": 0.5},
        "validation": metrics,
        "test": metrics,
        "confusion": [
            [right if k == row else wrong if k == (row + 1) % len(classes) else 0 for k in range(len(classes))]
            for row in range(len(classes))
        ],
        "mistakes": [{"index": 7, "label": 3, "prediction": 4, "probability": 0.99}],
        "canary": {
            "step_losses": [2.302585092994046, 2.25],
            "epochs": epochs(2),
            "stopping": {"reason": "none", "restored_epoch": 2},
            "test": metrics,
            "split_sha256": HASH,
            "order_sha256": HASH,
        },
    }
    return Record.model_validate({**content, **changes})


def environment(cores: int = 2) -> Environment:
    """A machine that never was."""
    return Environment(
        python="3.11.7",
        backend="tensorflow 2.18.0",
        packages={"keras": "3.8.0", "numpy": "2.0.2"},
        platform="Linux x86_64",
        device="A processor",
        processor_kind="AMaker 25 1 1 avx2",
        cores=cores,
        memory_gib=8.0,
        git_commit="0123456789" * 4,
        git_clean=True,
    )


def confirmation(day: int = 1, **changes: Any) -> Confirmation:
    """A confirmation of one day of April 2026."""
    content = {
        "confirmed": datetime(2026, 4, day, tzinfo=UTC),
        "sources": {"experiments/projects/p00_base.py": HASH},
        "environment": environment(),
        "exact": True,
        "largest_difference": 0.0,
    }
    return Confirmation.model_validate({**content, **changes})


def pretraining(**changes: Any) -> Pretraining:
    """A pretraining of two short epochs; `changes` replace whole fields."""
    epoch = {
        "loss": 2.5,
        "accuracy": 0.125,
        "val_top1": 0.25,
        "val_top5": 0.5,
        "val_cross_entropy": 2.25,
        "seconds": 3.0,
    }
    content: dict[str, Any] = {
        "architecture": "DeepNet",
        "preprocessing": "1/255",
        "weights_sha256": HASH,
        "seed": 0,
        "precision": "float32",
        "command": "python -m experiments pretrain --data DIR",
        "started": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        "seconds": 6.0,
        "sources": {"experiments/pretrain.py": HASH},
        "dataset": {
            "name": "set",
            "classes": 3,
            "train": 80,
            "validation": 20,
            "files": ["train-0.parquet", "valid-0.parquet"],
            "resized": 2,
            "grey": 1,
            "sha256": HASH,
        },
        "environment": environment(),
        "network": record().network,
        "settings": {"image_size": 32, "learning_rate": 0.001},
        "epochs": 2,
        "steps_per_epoch": 4,
        "batch_size": 10,
        "history": [epoch, {**epoch, "val_top1": 0.375}],
    }
    return Pretraining.model_validate({**content, **changes})


def declaration(project: str = "p00_base", **changes: Any) -> Declaration:
    """What the project of a record declares; `changes` replace whole fields."""
    made = record(project)
    fields = {
        name: getattr(made, name) for name in ("project", "script", "sources", "network", "settings", "precision")
    }
    return Declaration.model_validate({**fields, "inner": {}, **changes})


def features(**changes: Any) -> Features:
    """What weights see of six images of three classes, two of which are shown; `changes` replace whole fields."""
    shown = [
        {
            "index": index,
            "label": index % 3,
            "nearest": [{"index": 3, "label": 0, "similarity": 0.875}, {"index": 4, "label": 1, "similarity": -0.5}],
        }
        for index in (0, 1)
    ]
    content: dict[str, Any] = {
        "weights": "set",
        "weights_sha256": HASH,
        "architecture": "DeepNet",
        "preprocessing": "1/255",
        "image_size": 32,
        "layer": "last_pool",
        "dimensions": 8,
        "filters": 4,
        "command": "python -m experiments features --data DIR",
        "started": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        "sources": {"experiments/features.py": HASH},
        "environment": environment(),
        "dataset": "sample",
        "dataset_sha256": HASH,
        "classes": CLASSES,
        "images": 6,
        "nearest": 2,
        "shares": [
            {"compared_by": "weights", "preprocessing": "1/255", "image_size": 32, "same_class": 0.5},
            {"compared_by": "weights", "preprocessing": "BGR", "image_size": 32, "same_class": 0.4375},
            {"compared_by": "untrained", "preprocessing": "1/255", "image_size": 32, "same_class": 0.375},
            {"compared_by": "weights", "preprocessing": "1/255", "image_size": 64, "same_class": 0.625},
            {"compared_by": "pixels", "preprocessing": None, "image_size": 32, "same_class": 0.25},
        ],
        "shown": shown,
    }
    return Features.model_validate({**content, **changes})
