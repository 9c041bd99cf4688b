"""Execution module of Tideline: what a server hands in so that its certificates can be signed."""

import os

import salt.exceptions

__virtualname__ = "tideline"


def __virtual__():
    return __virtualname__


def public_keys():
    """
    The public keys of this server, PEM, by the path of the private key. Keys that are not made yet are left out.

    CLI Example:

    .. code-block:: bash

        salt '*' tideline.public_keys --out=json --static
    """
    keys = document().get("pki", {}).get("keys", {})
    return {path: _public(path) for path in sorted(keys) if os.path.isfile(path)}


def document():
    """
    The document of this server as it is now: the pillar in memory is as old as the minion's last refresh. Empty when there is none.

    CLI Example:

    .. code-block:: bash

        salt 'SERVER' tideline.document --out=json
    """
    try:
        # Salt 3008 gives modules, too, stars in the place of values unless they ask.
        pillar = __salt__["pillar.items"](unmask=True)
    except TypeError:
        pillar = __salt__["pillar.items"]()
    return pillar.get("tideline", {})


def _public(path):
    answer = __salt__["cmd.run_all"](
        ["openssl", "pkey", "-in", path, "-pubout"], python_shell=False, output_loglevel="quiet"
    )
    if answer["retcode"] != 0:
        raise salt.exceptions.CommandExecutionError(f"openssl cannot read {path}: {answer['stderr']}")
    return answer["stdout"].rstrip("\n") + "\n"
