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
    keys = __salt__["pillar.get"]("tideline:pki:keys", {})
    return {path: _public(path) for path in sorted(keys) if os.path.isfile(path)}


def _public(path):
    answer = __salt__["cmd.run_all"](
        ["openssl", "pkey", "-in", path, "-pubout"], python_shell=False, output_loglevel="quiet"
    )
    if answer["retcode"] != 0:
        raise salt.exceptions.CommandExecutionError(f"openssl cannot read {path}: {answer['stderr']}")
    return answer["stdout"].rstrip("\n") + "\n"
