"""A child's private folder: how full it is, and its removal, whatever a submission made of it.

Folders may be nested deeper than Python recurses or a path may be long, and unreadable to their owner.
"""

from __future__ import annotations

import errno
import os
from itertools import count


def fills(folder: str, size: int, entries: int) -> bool:
    """Whether a folder holds more than `size` bytes or `entries` files and folders, or is too deep."""
    total = seen = 0
    todo = [folder]
    while todo:
        path = todo.pop()
        try:
            os.chmod(path, 0o700)
            inside = list(os.scandir(path))
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # what lies so deep can't be counted by its path
                return True
            continue  # gone meanwhile
        for entry in inside:
            seen += 1
            if seen > entries:
                return True
            try:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    return True
        if total > size:
            return True
    return False


def remove(folder: str) -> None:
    """Remove a folder and all in it, or empty it where a file system begins there.

    What lies deeper is moved up first, so that no path grows long.
    """
    try:
        os.rmdir(folder)  # mostly nothing was written
        return
    except OSError:
        pass
    fresh = (os.path.join(folder, f".remove-{k}") for k in count())
    try:
        while inside := list(os.scandir(folder)):
            for entry in inside:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                for deeper in list(os.scandir(entry.path)):
                    if deeper.is_dir(follow_symlinks=False):
                        os.chmod(deeper.path, 0o700)
                        os.rename(deeper.path, next(p for p in fresh if not os.path.lexists(p)))
                    else:
                        os.unlink(deeper.path)
                os.rmdir(entry.path)
        os.rmdir(folder)
    except OSError:
        pass
