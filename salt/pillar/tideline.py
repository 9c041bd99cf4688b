"""
The pillar of Tideline: the document of one server, as `tideline fleet compile` writes it, under the key ``tideline``.

Configuration of the master (or of a minion that runs by itself)::

    module_dirs: [/srv/tideline/salt]               # which has this file as pillar/tideline.py
    ext_pillar:
      - tideline:
          folder: /srv/tideline/documents           # <id>.json, one file a server
          public_key: /etc/tideline/operator.pem    # optional: <id>.json.sig must be a signature by its private key
          secrets: /srv/tideline/secrets            # optional: <id>.json, {"name of the secret": "its text"}

One file is opened for one minion, so that the time does not depend on the size of the fleet. Whatever is wrong with a document is an
error of the pillar, and the formulas refuse to run: a minion never gets a part of a document, or one that nobody signed.
"""

import base64
import json
import logging
import os
import re
import stat

log = logging.getLogger(__name__)

__virtualname__ = "tideline"

# The name of a file is made from an id that the minion chose. ``fullmatch`` is used because ``$`` would allow a newline at the end.
MINION_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")
LONGEST_ID = 253
FORMAT = 1
LARGEST_DOCUMENT = 1024 * 1024
LARGEST_SIGNATURE = 1024


class Refused(Exception):
    """Why a minion gets no document."""


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, folder=None, public_key=None, secrets=None):
    """Returns the document of a minion; nothing for an id that no server can have, or that has no document."""
    if len(minion_id) > LONGEST_ID or MINION_ID.fullmatch(minion_id) is None:
        log.warning("tideline: no pillar for %r, which is no id of a server", minion_id)
        return {}
    if folder is None:
        raise Refused("tideline: ext_pillar has no folder")
    path = os.path.join(folder, minion_id + ".json")
    data = _read(path, LARGEST_DOCUMENT)
    if data is None:
        log.warning("tideline: there is no document %s", path)
        return {}
    if public_key is not None:
        _verify(data, path, public_key)
    found = {"tideline": _document(data, path, minion_id)}
    if secrets is not None:
        text = _read(os.path.join(secrets, minion_id + ".json"), LARGEST_DOCUMENT)
        if text is not None:
            found["tideline_secrets"] = _object(text, "the secrets of " + minion_id)
    return found


def _document(data, path, minion_id):
    document = _object(data, path)
    if document.get("format") != FORMAT:
        raise Refused(
            "tideline: {} has the format {!r}, these formulas read {}; install the formulas of the Tideline that wrote it".format(
                path, document.get("format"), FORMAT
            )
        )
    server = document.get("server")
    if not isinstance(server, dict) or server.get("id") != minion_id:
        raise Refused("tideline: {} is not the document of {}".format(path, minion_id))
    return document


def _object(data, what):
    try:
        value = json.loads(data.decode("utf-8"))
    except ValueError:
        # The words of the error are left out because they can quote a secret.
        raise Refused("tideline: {} is not JSON".format(what)) from None
    if not isinstance(value, dict):
        raise Refused("tideline: {} is not an object".format(what))
    return value


def _read(path, largest):
    """The bytes of a regular file, or None when there is none. Links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused("tideline: {} cannot be read: {}".format(path, error.strerror)) from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused("tideline: {} is not a file".format(path))
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Refused("tideline: {} is larger than {} bytes".format(path, largest))
    return data


def _verify(data, path, public_key):
    """Ed25519, as ``openssl pkeyutl -sign -rawin`` makes it, in base64 beside the document."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    signature = _read(path + ".sig", LARGEST_SIGNATURE)
    if signature is None:
        raise Refused("tideline: {} has no signature".format(path))
    pem = _read(public_key, LARGEST_SIGNATURE)
    if pem is None:
        raise Refused("tideline: there is no public key {}".format(public_key))
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, Ed25519PublicKey):
            raise Refused("tideline: {} is no public key of Ed25519".format(public_key))
        key.verify(base64.b64decode(signature, validate=False), data)
    except (InvalidSignature, ValueError):
        raise Refused("tideline: the signature of {} is wrong".format(path)) from None
