"""`python -m grader.authoring.network`: the request as JSON on standard input, the answer as JSON."""

from __future__ import annotations

import json
import sys

import torch

from grader.authoring.item import AuthoredError
from grader.authoring.network.author import Asked, from_forward, from_model


def main() -> int:
    """Exit 2 where the network can't be taken, with what stands in the way."""
    request = json.loads(sys.stdin.read())
    asked = Asked(request["name"], request["atomic"], request["wanted"], request["stubs"])
    try:
        if request.get("model"):
            text, left = from_model(asked, request["model"], request["example"])
        else:
            text, left = from_forward(asked, request["forward"])
    except AuthoredError as error:
        print(json.dumps({"error": str(error)}))
        return 2
    print(json.dumps({"text": text, "left": left}))
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
