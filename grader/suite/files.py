"""A file's bytes, read from where others write and replaced whole. No link is followed."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from grader.core.errors import Unreadable, UsageError

MAX_SOURCE = 2 << 20
MAX_NOTEBOOK = 32 << 20  # pictures and all
MAX_METADATA = 8 << 20
