"""Calls a function of our execution modules as Salt would, and prints what it returned or refused: DOCUMENT MODULE.FUNCTION ARGUMENTS."""

import importlib.util
import json
import pathlib
import sys

import salt.exceptions

document, function, arguments = sys.argv[1:]
folder = pathlib.Path(__file__).resolve().parents[3] / "salt/formulas/_modules"
with open(document, encoding="utf-8") as text:
    pillar = {"tideline": json.load(text)}
# What is in memory of the pillar may be older than the document, and counts for nothing.
functions = {"pillar.items": lambda unmask: pillar}
for file in folder.glob("*.py"):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__salt__ = functions
    module.__context__ = {}
    for name, value in vars(module).items():
        if callable(value) and not name.startswith("_"):
            functions[f"{module.__virtualname__}.{name}"] = value
try:
    print(json.dumps({"value": functions[function](**json.loads(arguments))}))
except salt.exceptions.CommandExecutionError as error:
    print(json.dumps({"error": str(error)}))
