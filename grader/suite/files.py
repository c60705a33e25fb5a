"""A file's bytes, read from where others write and replaced whole. No link is followed."""

from __future__ import annotations

MAX_SOURCE = 2 << 20
MAX_NOTEBOOK = 32 << 20  # pictures and all
MAX_METADATA = 8 << 20
