"""`python -m grader.authoring.network`: the request as JSON on standard input, the answer as JSON."""

from __future__ import annotations

import json
import sys

import torch

from grader.authoring.item import AuthoredError
from grader.authoring.network.author import from_model


def main() -> int:
    request = json.loads(sys.stdin.read())
    try:
        text, left = from_model(**request)
    except AuthoredError as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"text": text, "left": left}))
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
