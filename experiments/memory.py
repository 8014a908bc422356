"""Memory: how much a process held, and one sentence for when it runs out, which each backend tells in its own way."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reportgen.errors import ReportError

SIGNS = ("resource_exhausted", "out of memory", "oom when allocating", "memoryerror", "unable to allocate", "bad_alloc")
"""What TensorFlow, JAX, PyTorch and NumPy say of it, in lower case."""


@contextmanager
def enough_memory(batch_size: int, image_size: int, options: str = "--batch-size or --image-size") -> Iterator[None]:
    """Do what stands inside, with so many images of `image_size` pixels a side in a batch; if memory runs out, say so.

    The message names the `options` to lower.

    Raises:
        ReportError: memory ran out.
    """
    try:
        yield
    except Exception as problem:
        # Each backend has an error type of its own, or none; importing all three to name them would be worse.
        told = f"{type(problem).__name__}: {problem}".lower()
        if isinstance(problem, ReportError) or not any(sign in told for sign in SIGNS):
            raise
        raise ReportError(
            f"The memory of the device ran out with batches of {batch_size} images of {image_size}x{image_size} "
            f"pixels. Lower {options}."
        ) from problem


def peak() -> float:
    """The most memory, in GiB, that this process has held since its program began."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        import resource

        # Bytes on macOS. Linux, which counts in KiB, starts a child at what its parent held, and is asked above.
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return held / (2**30 if sys.platform == "darwin" else 2**20)
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 2**20 if found else 0.0


def device_peak() -> float | None:
    """The most memory of an accelerator, in GiB, that this process has held; None where it computes on the processor.

    What is counted is what the backend's arrays took, as the backend tells it, and not what it reserved for them.
    """
    import keras

    held: int | None = None
    match keras.backend.backend():
        case "jax":
            import jax

            held = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
        case "tensorflow":
            import tensorflow as tf

            if tf.config.list_logical_devices("GPU"):
                held = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        case "torch":
            import torch

            if torch.cuda.is_available():
                held = torch.cuda.max_memory_allocated()
    return None if held is None else held / 2**30
