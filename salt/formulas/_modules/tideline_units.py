"""Execution module of Tideline: the units of this server, as its document has them."""

import calendar
import os
import subprocess
import time

import salt.exceptions

__virtualname__ = "tideline_units"

UNIT_FOLDER = "/etc/systemd/system"


def __virtual__():
    return __virtualname__


def stale():
    """
    Units that are left to the wave (``onChange: orchestrated``) and run with something older than what stands on the disk: name of the unit to the
    first thing that is newer than its process. A formula never restarts them, and a unit that is not running is not stale.

    CLI Example:

    .. code-block:: bash

        salt 'SERVER' tideline_units.stale --out=json
    """
    document = _document()
    found = {}
    for name, unit in sorted(_units(document).items()):
        if unit["onChange"] != "orchestrated":
            continue
        started = _started(name)
        if started is None:
            continue
        newer = [path for path in _watched(document, name, unit) if _changed(path) > started]
        if newer:
            found[name] = newer[0]
    return found


def restart(units=None):
    """
    Restarts units of the document, by default those that are stale, one after the other, and says which were.

    CLI Example:

    .. code-block:: bash

        salt 'SERVER' tideline_units.restart --out=json
    """
    names = sorted(stale()) if units is None else _ours(units)
    if names:
        _systemctl("daemon-reload")
    for name in names:
        _systemctl("restart", name)
    return {"restarted": names}


def stop(units):
    """Stops units of the document."""
    names = _ours(units)
    for name in names:
        _systemctl("stop", name)
    return {"stopped": names}


def retire(units):
    """Stops units of a document that this server does not have any more, and keeps them from starting with it."""
    names = [units] if isinstance(units, str) else list(units)
    for name in names:
        if os.path.exists(os.path.join(UNIT_FOLDER, name)):
            _systemctl("disable", "--now", name)
    return {"retired": names}


def start(units):
    """Starts units of the document."""
    names = _ours(units)
    if names:
        _systemctl("daemon-reload")
    for name in names:
        _systemctl("start", name)
    return {"started": names}


def status():
    """
    What this server really is: programs in use by version, units that should run and do not, certificates with the end of their time (seconds since
    1970), and whether it asks for a reboot.
    """
    document = _document()
    certificates = {}
    for path in sorted(document["pki"]["certificates"]):
        end = _end_of(path)
        if end is not None:
            certificates[path] = end
    units = _units(document)
    return {
        "versions": _versions(document),
        "failed": [name for name, unit in sorted(units.items()) if _is_failed(name, unit)],
        "stale": stale(),
        "certificates": certificates,
        "reboot": os.path.exists("/run/reboot-required"),
    }


def _document():
    document = __salt__["tideline.document"]()
    if document.get("format") != 1:
        raise salt.exceptions.CommandExecutionError("this server has no document that these modules can read")
    return document


def _units(document):
    return {name: unit for part in document["components"] for name, unit in part["units"].items()}


def _ours(units):
    names = [units] if isinstance(units, str) else list(units)
    unknown = [name for name in names if name not in _units(_document())]
    if unknown:
        raise salt.exceptions.CommandExecutionError("the document of this server has no unit " + ", ".join(unknown))
    return names


def _watched(document, name, unit):
    """Paths: the unit itself, and what it watches. Of a program it is the link, which leads to another file after an upgrade."""
    paths = [os.path.join(UNIT_FOLDER, name)]
    for watched in unit["watches"]:
        artifact = document["artifacts"].get(watched)
        if artifact is None:
            paths.append(watched)
        elif "link" in artifact:
            paths.append(artifact["link"])
    return paths


def _changed(path):
    """When the file, or the link itself, was changed, in seconds since 1970; what is not there was never changed."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0.0
    return max(found.st_mtime, found.st_ctime)


def _started(name):
    """When the process of a unit was started, in seconds since 1970; None when it does not run."""
    shown = _show(name, "ActiveState", "ExecMainStartTimestampMonotonic", "MainPID")
    try:
        started = int(shown.get("ExecMainStartTimestampMonotonic", "0"))
    except ValueError:
        started = 0
    if shown.get("ActiveState") != "active" or started == 0:
        return None
    # Both clocks are read now, so that a wall clock that was set later counts.
    return time.time() - (time.clock_gettime(time.CLOCK_MONOTONIC) - started / 1e6)


def _is_failed(name, unit):
    state = _show(name, "ActiveState").get("ActiveState")
    return state == "failed" or (unit["running"] and state not in ("active", "activating", "reloading"))


def _versions(document):
    """Of each program the version that its link leads to."""
    found = {}
    for name, artifact in sorted(document["artifacts"].items()):
        if "link" not in artifact:
            continue
        try:
            target = os.readlink(artifact["link"])
        except OSError:
            found[name] = None
            continue
        parts = target.split("/")
        wanted = artifact["path"].split("/")
        at = wanted.index(artifact["version"]) if artifact["version"] in wanted else -1
        found[name] = parts[at] if -1 < at < len(parts) else target
    return found


def _end_of(path):
    answer = __salt__["cmd.run_all"](
        ["openssl", "x509", "-in", path, "-noout", "-enddate", "-dateopt", "iso_8601"],
        python_shell=False,
        output_loglevel="quiet",
    )
    if answer["retcode"] != 0 or "=" not in answer["stdout"]:
        return None
    text = answer["stdout"].split("=", 1)[1].strip()
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%SZ"))


def _show(name, *properties):
    output = _systemctl("show", "--property=" + ",".join(properties), name)
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def _systemctl(*words):
    # Not by cmd.run: its result would put the journal of the unit into the cache of jobs when a restart fails.
    done = subprocess.run(["systemctl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise salt.exceptions.CommandExecutionError("systemctl {}: {}".format(" ".join(words), done.stderr.strip()))
    return done.stdout
