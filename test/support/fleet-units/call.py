"""Calls a function of an execution module as Salt would, and prints what it returned or refused: MODULE DOCUMENT FUNCTION ARGUMENTS."""

import importlib.util
import json
import sys

import salt.exceptions

file, document, function, arguments = sys.argv[1:]
spec = importlib.util.spec_from_file_location("module", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with open(document, encoding="utf-8") as text:
    given = json.load(text)
module.__salt__ = {"tideline.document": lambda: given}
try:
    print(json.dumps({"value": getattr(module, function)(**json.loads(arguments))}))
except salt.exceptions.CommandExecutionError as error:
    print(json.dumps({"error": str(error)}))
