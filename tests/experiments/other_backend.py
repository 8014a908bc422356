"""Programs under a backend that this process does not use; one that is not installed skips the test."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from experiments.environment import ROOT

QUICKLY = "--xla_backend_optimization_level=0"
"""So XLA compiles in two thirds of the time, and what it compiles computes the same, if more slowly."""


def said(backend: str, program: str, *arguments: str) -> Any:
    """What the last line of a Python `program` says, which is JSON, when Keras computes with `backend`."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {QUICKLY}"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
