"""
Renders formulas with the pinned Salt, in one process: starting salt-call takes longer than the work. Reads ids of servers, a line each, whose
documents the ext_pillar module finds; writes a line of JSON for each, {"id", "states"} with the ids of the states in their order, or
{"id", "errors"}.
"""

import json
import sys

import salt.config
import salt.loader
import salt.state

opts = salt.config.minion_config("/mnt/minion")
grains = salt.loader.grains(opts)

for line in sys.stdin:
    name = line.strip()
    try:
        own = dict(opts, id=name, grains=dict(grains, id=name))
        chunks = salt.state.HighState(own).compile_low_chunks()
    except Exception as error:
        chunks = [str(error)]
    faults = [chunk for chunk in chunks if not isinstance(chunk, dict)]
    result = {"errors": faults} if faults or not chunks else {"states": [chunk["__id__"] for chunk in chunks]}
    print(json.dumps(dict(result, id=name)), flush=True)
