"""What the wheel has beside the package: fixtures/ inside it, and the man pages, made from the parser."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # a checkout keeps its own folders
            return
        build_data["force_include"][str(Path(self.root, "fixtures"))] = "grader/fixtures"
        sys.path.insert(0, self.root)
        from grader.commands import arguments, manual

        self.folder = TemporaryDirectory()
        for name, text in manual.pages(arguments.parser()).items():
            path = Path(self.folder.name, name)
            path.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(path)] = f"share/man/man1/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
