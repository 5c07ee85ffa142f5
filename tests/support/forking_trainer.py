"""The trainer, imported once: runs every command line that comes in on stdin in a fork of its own.

A kill is then a kill of a real process, and twenty do not cost twenty imports of torch.
"""

import json
import os
import sys

import torch._dynamo  # noqa: F401

import train.loop
import train.push_to_hub
import train.recipes
from train.__main__ import main

for entry in train.recipes.RECIPES.values():
    entry.load()

for line in sys.stdin:
    words, log = json.loads(line)
    child = os.fork()
    if child == 0:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.setsid()  # its decoding workers die with it
        sys.argv = ["train", *words]
        try:
            main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
            if isinstance(leaving.code, str):
                os.write(2, leaving.code.encode())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
