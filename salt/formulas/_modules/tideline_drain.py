"""
Execution module of Tideline: takes from a control plane what others rely on, before it is touched, and gives it back.

Each function may be called twice. The order of a stop is: hand the lead of etcd over, withdraw the API's VIP, wait for the routers, stop.
"""

import os
import time

import salt.exceptions

__virtualname__ = "tideline_drain"

# While this file is there, the health check beside ExaBGP withdraws the VIP, whatever the API server says. It is gone after a reboot.
WITHDRAWN = "/run/tideline/api-vip.withdrawn"
UNIT = "tideline-api-vip.service"


def __virtual__():
    return __virtualname__


def withdraw_api(seconds=10):
    """
    Withdraws the API's VIP from the routers of this server, and waits until the health check has told ExaBGP so.

    CLI Example:

    .. code-block:: bash

        salt CONTROL tideline_drain.withdraw_api
    """
    os.makedirs(os.path.dirname(WITHDRAWN), mode=0o755, exist_ok=True)
    with open(WITHDRAWN, "w", encoding="utf-8"):
        pass
    return _until(("DISABLED", None), seconds, "does not withdraw the VIP")


def announce_api(seconds=30):
    """
    Lets the API's VIP be announced again, and waits until the health check has told ExaBGP so.

    CLI Example:

    .. code-block:: bash

        salt CONTROL tideline_drain.announce_api
    """
    if os.path.exists(WITHDRAWN):
        os.remove(WITHDRAWN)
    return _until(("UP",), seconds, "does not announce the VIP")


def move_etcd_leader():
    """
    Hands the lead of etcd over to another voter, if this member has it. The voter with the highest raft index gets it.

    CLI Example:

    .. code-block:: bash

        salt MEMBER tideline_drain.move_etcd_leader
    """
    found = __salt__["tideline_health.etcd"]()
    if "problem" in found:
        return {"moved": False, "problem": found["problem"]}
    own = found["self"]
    if own is None or found["members"][own].get("leader") != own:
        return {"moved": False}
    voters = [
        (one.get("raftIndex", 0), key)
        for key, one in found["members"].items()
        if key != own and one["healthy"] and not one["learner"]
    ]
    if not voters:
        return {"moved": False, "alone": True}
    chosen = max(voters)[1]
    __salt__["tideline_health.etcdctl"]("move-leader", chosen)
    return {"moved": True, "to": found["members"][chosen]["name"]}


def _until(states, seconds, otherwise):
    end = time.monotonic() + seconds
    while True:
        state = __salt__["tideline_health.vip"]().get("state")
        if state in states:
            return {"state": state}
        if time.monotonic() >= end:
            words = f"VipStays: the health check of {UNIT} {otherwise}: its state is {state}"
            raise salt.exceptions.CommandExecutionError(words)
        time.sleep(0.25)
