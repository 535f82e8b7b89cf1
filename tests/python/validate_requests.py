"""Checks a file of recorded requests (JSON Lines, as recorder.py writes them) against AWS's service models.

    validate_requests.py FILE

Prints every violation. Exit code 0 when there is none, 1 otherwise.
"""

import json
import sys

import requests_model


def main(path):
    with open(path, encoding="utf-8") as lines:
        requests = [json.loads(line) for line in lines]
    found = [f"request {r['number']}: {text}" for r in requests for text in requests_model.violations(r)]
    print("\n".join(found) or f"{len(requests)} requests, each as AWS's models have it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
