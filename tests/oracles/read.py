"""Run by the interpreter of an environment: reads with the modules `read_NAME` beside it, asked on stdin, and prints what they read.

Stdin is JSON, `{"key": ["NAME", "FOLDER", {options}]}`, stdout is JSON, `{"key": [items]}`. What libraries print goes to stderr.
"""

import json
import sys
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # theirs, about themselves
    sys.path.insert(0, str(Path(__file__).parent))
    with redirect_stdout(sys.stderr):
        found = {
            key: list(import_module(f"read_{name}").items(folder, **options))
            for key, (name, folder, options) in json.load(sys.stdin).items()
        }
    json.dump(found, sys.stdout, default=str)
