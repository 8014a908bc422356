"""Templates and pages as Jinja compiled them, kept between builds: to compile them takes as long as to render them.

Those of the theme, too, which MkDocs renders.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from jinja2 import BytecodeCache, FileSystemBytecodeCache

COMPILING = ("edition.py", "evidence.py")
"""Where the tags of pages stand, and what becomes of a value that is written: both are compiled in."""


def kept(root: Path) -> BytecodeCache:
    """The cache of the report in `root`, for this code, Jinja and MkDocs; the folder may be deleted at any time.

    Jinja itself sees to it that a page or a template that changed is compiled anew.
    """
    digest = hashlib.sha256(f"{version('jinja2')} {version('mkdocs')}".encode())
    for name in COMPILING:
        digest.update((Path(__file__).parent / name).read_bytes())
    folder = root / "build" / "jinja" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))
