"""What lasts until a process ends is never searched for garbage, and everything else is."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import backend

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import gc, json
from experiments import backend
backend.load()
first = gc.get_freeze_count()
kept = [[] for _ in range(1000)]
backend.load()
import keras
print(json.dumps([first, gc.get_freeze_count(), len(gc.get_objects()), gc.isenabled(), keras.backend.backend()]))
"""


def test_keras_is_imported_as_what_is_no_garbage_and_what_comes_later_may_be() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    first, again, searched, enabled, name = json.loads(done.stdout)
    assert first == again > 100_000 and 1000 < searched < first / 10
    assert enabled and name


def test_what_a_process_begins_with_does_not_import_keras_before() -> None:
    """The commands, and what they start: their Keras would be searched for garbage in every training."""
    comparison = [
        f"experiments.comparison.{file.stem}" for file in (ROOT / "experiments" / "comparison").glob("[a-z]*.py")
    ]
    assert len(comparison) == 6
    begun = ["experiments.__main__", "experiments.executor", "experiments.limits", *comparison]
    program = f"import sys, {', '.join(begun)}; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_garbage_is_looked_for_also_where_there_is_no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr("importlib.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(ImportError, match="keras"):
        backend.load()
    assert gc.isenabled()
