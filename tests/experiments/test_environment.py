"""What a run depends on beside the sources."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.environment import memory, model_of, processor, versions


def test_a_backend_that_stands_idle_is_not_among_the_packages() -> None:
    found = versions("tensorflow")
    assert list(found)[:2] == ["keras", "tensorflow"]
    assert not {"jax", "jaxlib", "torch"} & set(found)
    assert "tensorflow" not in versions("jax")


ARM = "processor\t: {core}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {part}\n\n"


def test_a_processor_is_told_by_its_model_and_on_arm_by_its_maker_and_the_kinds_of_its_cores() -> None:
    intel = "processor\t: 0\nmodel name\t: A processor @ 2.50GHz\n\n"
    assert model_of(intel * 2) == "A processor @ 2.50GHz"
    parts = ("0xd0c", "0xd0c", "0xd40")
    arm = "".join(ARM.format(core=core, part=part) for core, part in enumerate(parts))
    assert model_of(arm) == f"{platform.machine()}, implementer 0x41, part 0xd0c, part 0xd40"
    assert model_of(f"model name\t: ARMv7\n{arm}") == "ARMv7, implementer 0x41, part 0xd0c, part 0xd40"
    assert model_of("processor\t: 0\n") is None


def test_a_processor_of_apple_is_told_by_what_its_system_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setenv("PATH", str(tmp_path))
    before = processor()
    sysctl = tmp_path / "sysctl"
    sysctl.write_text('#!/bin/sh\ntest "$*" = "-n machdep.cpu.brand_string" && echo "Apple M4"\n')
    sysctl.chmod(0o700)
    assert (before != "Apple M4", processor()) == (True, "Apple M4")


def test_the_memory_of_a_machine_is_asked_of_windows_where_there_is_no_sysconf(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**28 < memory() < 2**50

    def status(buffer: Any) -> None:
        assert buffer._obj[0] == ctypes.sizeof(buffer._obj)
        buffer._obj[1] = 2**35

    kernel32 = SimpleNamespace(GlobalMemoryStatusEx=status)
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    assert memory() == 2**35
