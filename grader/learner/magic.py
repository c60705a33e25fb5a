"""`%load_ext grader` in a notebook: `%%check dh` runs a cell and checks what it makes."""

from __future__ import annotations

from typing import Any

from grader.learner import cells, draw, jupyter, notebook


def load(ip: Any) -> None:
    """`%load_ext grader`: the names cmp, check and draw, and `%%check`."""
    ran = cells.here()
    ip.push({"cmp": notebook.cmp, "check": notebook.check, "draw": draw.draw}, interactive=False)

    def run_and_check(line: str, cell: str | None = None) -> None:
        """%%check dh: run the cell, then check dh. %check ex1: check what is there."""
        if cell is not None and not ip.run_cell(cell, store_history=False).success:
            if ran:
                ran.help(cell)
            return
        if not line.split():
            print("Name what is to be checked: %%check dh, %check ex1")
        for word in line.split():
            names = {word, f"d{word}"} if "." not in word else set()
            exercise = ran.whose(names) if ran else None
            jupyter.show(notebook.check(f"{exercise.id}.{word}" if exercise else word, ip.user_ns))

    ip.register_magic_function(run_and_check, "line_cell", "check")
