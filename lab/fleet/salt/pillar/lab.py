"""
The pillar of the lab: comes after that of Tideline, and changes the document of a minion as a server of the lab can have it (differences.ts).

Salt must put it in the place of the first one: ``pillar_source_merging_strategy: overwrite``.
"""

import json
import subprocess

__virtualname__ = "lab"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, checkout=None):
    document = pillar.get("tideline")
    if document is None:
        return {}
    done = subprocess.run(
        [checkout + "/node_modules/node/bin/node", checkout + "/lab/fleet/differ.ts"],
        input=json.dumps(document).encode("utf-8"),
        stdout=subprocess.PIPE,
        check=True,
    )
    return {"tideline": json.loads(done.stdout)}
