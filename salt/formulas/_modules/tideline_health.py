"""
Execution module of Tideline: facts of the server that it runs on, by its roles.

What there is to look at comes from the server's document (pillar ``tideline``). Nothing here judges: the gates of `tideline fleet` do, from
these facts. Nothing changes anything, and no answer has a secret. What cannot be found out is a ``problem`` in words, never a guess.
"""

import json
import os
import platform
import re
import shlex
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

__virtualname__ = "tideline_health"

SECONDS = 5
LARGEST_ANSWER = 16 * 1024 * 1024
PORTS = {"network": 9463, "edge": 9464}
API_VIP = "/etc/tideline-api-vip"
API_VIP_UNIT = "tideline-api-vip.service"
# What the health check told ExaBGP last, written by its own `execute`.
API_VIP_STATE = "/run/tideline-api-vip/state"
API_VIP_WITHDRAWN = "/run/tideline/api-vip.withdrawn"


def __virtual__():
    return __virtualname__


def facts():
    """
    Everything that this server can tell of itself.

    CLI Example:

    .. code-block:: bash

        salt '*' tideline_health.facts --out=json --static
    """
    roles = list(_document().get("server", {}).get("roles", []))
    known = {
        "etcd": [etcd],
        "control-plane": [api, vip],
        "worker": [kubelet, containerd, network],
        "blade": [edge],
    }
    found = {"server": _document().get("server", {}).get("id"), "roles": roles}
    for role in roles:
        for ask in known.get(role, []):
            found[ask.__name__] = ask()
    for ask in (versions, certificates, failed_units, reboot):
        found[ask.__name__] = ask()
    return found


def etcd():
    """
    The members of this server's etcd as this member sees them: name, learner, health, raft index, alarms, leader. Ids are hexadecimal texts.

    CLI Example:

    .. code-block:: bash

        salt 'etcd*' tideline_health.etcd --out=json --static
    """
    try:
        answer = json.loads(etcdctl("member", "list"))
        members = {_hex(one["ID"]): _member(one) for one in answer["members"]}
        own = [key for key, one in members.items() if one["name"] == _document()["server"]["id"]]
        statuses = _statuses([url for one in members.values() for url in one["urls"]])
        for url, status in statuses.items():
            for one in members.values():
                if url in one["urls"]:
                    one.update(_standing(one, status))
        alarms = json.loads(etcdctl("alarm", "list")).get("alarms") or []
    except (_Unknown, ValueError, KeyError) as error:
        return {"problem": str(error)}
    leaders = {one["leader"] for one in members.values() if "leader" in one}
    return {
        "self": own[0] if own else None,
        "leader": leaders.pop() if len(leaders) == 1 else None,
        "members": members,
        "alarms": [{"member": _hex(one.get("memberID", 0)), "alarm": _alarm(one.get("alarm"))} for one in alarms],
    }


def api():
    """
    Whether the API server of this machine is ready, and which of its checks are not, asked at its own address by the authority of the cluster.

    CLI Example:

    .. code-block:: bash

        salt 'control*' tideline_health.api --out=json --static
    """
    unit = "kube-apiserver.service"
    host = _flag("kube-apiserver", unit, "--bind-address") or "127.0.0.1"
    port = _flag("kube-apiserver", unit, "--secure-port") or "6443"
    authority = _flag("kube-apiserver", unit, "--client-ca-file")
    try:
        status, text = _get(f"https://{host}:{port}/readyz?verbose", authority)
    except _Unknown as error:
        return {"ready": False, "problem": str(error)}
    failed = re.findall(r"^\[-\](\S+)", text, re.MULTILINE)
    return {"ready": status == 200, "status": status, "failed": failed}


def vip():
    """
    What makes the API's VIP announced: the health check beside ExaBGP says UP, sessions with routers stand, and the address is on this host.

    CLI Example:

    .. code-block:: bash

        salt 'control*' tideline_health.vip --out=json --static
    """
    files = _component("exabgp").get("files", {})
    check = files.get(f"{API_VIP}/healthcheck.conf", {}).get("text", "")
    conf = files.get(f"{API_VIP}/exabgp.conf", {}).get("text", "")
    prefixes = re.findall(r"^ip = (\S+)$", check, re.MULTILINE)
    neighbors = re.findall(r"^neighbor (\S+) {$", conf, re.MULTILINE)
    try:
        sessions = _sessions()
        here = _loopback()
    except _Unknown as error:
        return {"problem": str(error)}
    return {
        "prefixes": prefixes,
        "missing": [one for one in prefixes if one.split("/")[0] not in here],
        "state": _line(API_VIP_STATE) if _active(API_VIP_UNIT) else None,
        "withdrawn": os.path.exists(API_VIP_WITHDRAWN),
        "sessions": {one: one in sessions for one in neighbors},
    }


def kubelet():
    """Whether the kubelet says that it is healthy."""
    try:
        status, text = _get("http://127.0.0.1:10248/healthz")
        return {"healthy": status == 200, **({} if status == 200 else {"problem": text[:200]})}
    except _Unknown as error:
        return {"healthy": False, "problem": str(error)}


def containerd():
    """Whether containerd runs and takes connections."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            line.connect("/run/containerd/containerd.sock")
        return {"healthy": True}
    except OSError as error:
        return {"healthy": False, "problem": f"/run/containerd/containerd.sock: {error}"}


def edge():
    """What the edge agent of this blade says of itself, as far as it is judged by."""
    fields = ("agent", "blade", "pool", "source", "fault", "vips", "vipsMissing", "draining", "nginx", "requestsPerSecond", "bgp")
    return _agent("edge", fields)


def network():
    """What the network agent of this worker says of itself, as far as it is judged by."""
    return _agent("network", ("agent", "node", "source", "action", "reason", "announced", "notices", "relay"))


def requests():
    """How many requests this blade has answered since nginx started, and how many of them with 500 and more."""
    try:
        status, text = _get(f"http://{_own_host()}:{PORTS['edge']}/metrics")
        if status != 200:
            raise _Unknown(f"the agent answers {status}")
    except _Unknown as error:
        return {"problem": str(error)}
    counted = re.findall(r'^tideline_edge_requests_total{.*\bstatus="([^"]*)".*} (\S+)$', text, re.MULTILINE)
    return {
        "requests": sum(float(count) for _, count in counted),
        "failed": sum(float(count) for status, count in counted if status.startswith("5")),
    }


def versions():
    """Of each unit that runs: the program that it runs, and that of the document. They differ where a restart is missing."""
    wanted = {one["path"]: name for name, one in _document().get("artifacts", {}).items() if "path" in one}
    found = {}
    for component in _document().get("components", []):
        for unit, settings in component.get("units", {}).items():
            program = _program(unit) if settings.get("running") and unit.endswith(".service") else None
            artifact = _artifact(program, wanted)
            if artifact is not None:
                path = next(path for path, name in wanted.items() if name == artifact)
                runs = program == path or program.startswith(path + "/")
                found[unit] = {"artifact": artifact, "program": program, "wanted": path, "current": runs}
    return found


def certificates():
    """When the certificates of this server end, in seconds since the epoch, by path."""
    paths = sorted(_document().get("pki", {}).get("certificates", {}))
    found = {}
    for path in paths:
        try:
            text = _run(["openssl", "x509", "-noout", "-enddate", "-in", path])
            found[path] = {"notAfter": ssl.cert_time_to_seconds(text.strip().split("=", 1)[1])}
        except (_Unknown, ValueError, IndexError) as error:
            found[path] = {"problem": str(error)}
    return found


def failed_units():
    """The units of systemd that have failed, by name."""
    try:
        lines = _run(["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"]).splitlines()
        return [line.split()[0] for line in lines if line.strip() != ""]
    except _Unknown:
        return []


def reboot():
    """Why this machine should be started again; an empty list when it need not."""
    reasons = []
    if os.path.exists("/run/reboot-required"):
        reasons.append("packages ask for it (/run/reboot-required)")
    running = platform.release()
    try:
        newest = os.path.basename(os.readlink("/vmlinuz")).replace("vmlinuz-", "", 1)
        if newest != running:
            reasons.append(f"kernel {running} runs, and {newest} is installed")
    except OSError:
        pass
    return reasons


def etcdctl(*arguments):
    """
    Runs etcdctl against the member of this server by its own certificate, and returns what it prints, as JSON.

    CLI Example:

    .. code-block:: bash

        salt 'etcd*' tideline_health.etcdctl member list
    """
    return _run(_etcdctl([_etcd_flag("--advertise-client-urls")]) + list(arguments))


class _Unknown(Exception):
    """Why something is not known."""


def _document():
    """The document as it is now, asked for once a question: the pillar in memory is as old as the start of the minion."""
    known = __context__.get("tideline_health.document")
    if known is None or known[0] < time.monotonic() - 30:
        known = (time.monotonic(), __salt__["tideline.document"]())
        __context__["tideline_health.document"] = known
    return known[1]


def _component(name):
    return next((one for one in _document().get("components", []) if one["name"] == name), {})


def _flag(component, unit, name):
    """The value of a flag of a unit's command line, as the document has it."""
    text = _component(component).get("units", {}).get(unit, {}).get("text", "")
    line = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", text, re.MULTILINE)
    for word in shlex.split(line.group(1).replace("\\\n", " ")) if line else []:
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def _etcd_flag(name):
    value = _flag("etcd", "etcd.service", name)
    if value is None:
        raise _Unknown(f"etcd: the document of this server has no {name}")
    return value


def _etcdctl(endpoints):
    document = _document()
    program = document.get("artifacts", {}).get("etcdctl", {}).get("link", "etcdctl")
    paths = document.get("pki", {}).get("certificates", {})
    certificate = next((path for path in sorted(paths) if path.endswith("/healthcheck-client.crt")), "")
    return [
        program,
        f"--endpoints={','.join(endpoints)}",
        f"--cacert={_etcd_flag('--trusted-ca-file')}",
        f"--cert={certificate}",
        f"--key={paths.get(certificate, {}).get('key')}",
        "--dial-timeout=2s",
        "--command-timeout=3s",
        "--write-out=json",
    ]


def _member(one):
    return {
        "name": one.get("name", ""),
        "learner": one.get("isLearner", False),
        "urls": one.get("clientURLs") or [],
        "healthy": False,
    }


def _standing(one, status):
    """A learner answers no question that needs a vote, the one for its health neither: that it answers at all has to do."""
    return {**status, "healthy": True, "problem": ""} if one["learner"] and "raftIndex" in status else status


def _statuses(urls):
    """What each member says at its own URL. One that is silent is not there."""
    if not urls:
        return {}
    found = {}
    for one in _entries(_etcdctl(urls) + ["endpoint", "status"]):
        status = one["Status"]
        found[one["Endpoint"]] = {
            "leader": _hex(status.get("leader", 0)),
            "raftIndex": status.get("raftIndex", 0),
            "appliedIndex": status.get("raftAppliedIndex", 0),
            "dbBytes": status.get("dbSize", 0),
            "version": status.get("version", ""),
        }
    for one in _entries(_etcdctl(urls) + ["endpoint", "health"]):
        found.setdefault(one["endpoint"], {})["healthy"] = one["health"]
        if one.get("error"):
            found[one["endpoint"]]["problem"] = one["error"]
    return found


def _entries(command):
    """The list that etcdctl prints; it fails when one of several endpoints does, and prints the others all the same."""
    text = _run(command, codes=(0, 1))
    lines = [line for line in text.splitlines() if line.startswith("[")]
    return json.loads(lines[0]) if lines else []


def _hex(number):
    return format(number, "x")


def _alarm(value):
    return {0: "NONE", 1: "NOSPACE", 2: "CORRUPT"}.get(value, str(value))


def _agent(plane, fields):
    try:
        status, text = _get(f"http://{_own_host()}:{PORTS[plane]}/status")
        if status != 200:
            raise _Unknown(f"the agent answers {status}")
        answer = json.loads(text)
    except (_Unknown, ValueError) as error:
        return {"problem": str(error)}
    return {field: answer[field] for field in fields if field in answer}


def _own_host():
    addresses = _document().get("server", {}).get("addresses")
    if not addresses:
        raise _Unknown("this server has no document any more, which says where its agents answer")
    address = addresses[0]
    return f"[{address}]" if ":" in address else address


def _get(url, authority=None):
    try:
        context = ssl.create_default_context(cafile=authority) if url.startswith("https:") else None
        handlers = [urllib.request.ProxyHandler({})]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        with urllib.request.build_opener(*handlers).open(url, timeout=SECONDS) as answer:
            return answer.status, answer.read(LARGEST_ANSWER).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(LARGEST_ANSWER).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        raise _Unknown(f"{url.split('?')[0]}: {cause}") from error


def _run(command, codes=(0,)):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=4 * SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Unknown(f"{os.path.basename(command[0])}: {error}") from error
    if done.returncode not in codes:
        words = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise _Unknown(f"{os.path.basename(command[0])}: {words[:300]}")
    return done.stdout


def _active(unit):
    try:
        return _run(["systemctl", "is-active", unit], codes=(0, 3)).strip() == "active"
    except _Unknown:
        return False


def _line(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(100).strip() or None
    except OSError:
        return None


def _loopback():
    found = json.loads(_run(["ip", "-json", "address", "show", "dev", "lo"]) or "[]")
    return {one["local"] for link in found for one in link.get("addr_info", []) if "local" in one}


def _sessions():
    """The addresses with which a TCP connection of BGP stands."""
    found = set()
    for line in _run(["ss", "-H", "-t", "-n", "state", "established"]).splitlines():
        words = line.split()
        if len(words) >= 4 and "179" in (words[-2].rsplit(":", 1)[-1], words[-1].rsplit(":", 1)[-1]):
            found.add(words[-1].rsplit(":", 1)[0].strip("[]").replace("::ffff:", ""))
    return found


def _program(unit):
    """The path of the program that a unit runs, also where the file is gone meanwhile."""
    try:
        pid = _run(["systemctl", "show", "--property=MainPID", "--value", unit]).strip()
        return os.readlink(f"/proc/{int(pid)}/exe").removesuffix(" (deleted)") if pid not in ("", "0") else None
    except (_Unknown, OSError, ValueError):
        return None


def _artifact(program, wanted):
    """The artifact of a program: paths end in `NAME/VERSION/…`, of which the version may be another."""
    for path, name in wanted.items():
        parts = path.split("/")
        if program is not None and name in parts and program.startswith("/".join(parts[: parts.index(name) + 1]) + "/"):
            return name
    return None
