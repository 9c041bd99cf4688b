"""
Execution module of Tideline: members, snapshots and recovery of etcd, on a server that is a member or becomes one.

Everything is found in the document of the server. Each function looks first and changes only what is not so yet, so that it can be called
again after an interruption; it returns what it found and what it did. What would cost the quorum or data is refused with a reason. One function
that changes something runs on a server at a time; another one is refused as `Busy`.

CLI Example:

.. code-block:: bash

    salt MEMBER tideline_etcd.members
    salt MEMBER tideline_etcd.add name=NEW peer=https://10.1.0.13:2380
    salt NEW tideline_etcd.join aside=True
    salt MEMBER tideline_etcd.snapshot
    salt -L A,B,C tideline_etcd.restore source=salt://snapshots/20261128T060000Z.db sha256=SUM
"""

import contextlib
import datetime
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

import salt.exceptions

__virtualname__ = "tideline_etcd"

# A restored cluster goes on so far above the revisions that anybody has seen that no watch can take new ones for old ones.
BUMP = 1000000000
# What a restore leaves in the folder that it made.
RESTORED = "restored.json"


def __virtual__():
    return __virtualname__


def members():
    """
    The members of the cluster with what each says of itself. `healthy` is a voter that answers by consensus, or a learner that answers.
    """
    own = _settings()
    listed = _json(_anywhere(own, ["member", "list"]))
    found = [_member(one) for one in listed.get("members", [])]
    clients = [member["clients"][0] for member in found if member["clients"]]
    standings = {one["Endpoint"]: one["Status"] for one in _json(_etcdctl(own, clients, ["endpoint", "status"], strict=False))}
    healthy = {one["endpoint"] for one in _json(_etcdctl(own, clients, ["endpoint", "health"], strict=False)) if one["health"]}
    for member in found:
        status = standings.get(member["clients"][0] if member["clients"] else None)
        member["healthy"] = status is not None and (member["learner"] or member["clients"][0] in healthy)
        if status is not None:
            member["leader"] = status["leader"] == int(member["id"], 16)
            member.update(revision=status["header"]["revision"], raftIndex=status["raftIndex"], version=status["version"])
            member.update(bytes=status["dbSize"], errors=status.get("errors", []))
    return {"members": sorted(found, key=lambda member: member["name"] or member["peers"][0])}


def standing():
    """
    What this member alone says, also without a quorum: the survivor with the highest index has the newest data. With etcd stopped, what its file says.
    `bare` is a server that has lost its disk, or was never set up.
    """
    own = _settings()
    if not os.path.exists(own["programs"]["etcdctl"]):
        return {"running": False, "quorum": False, "empty": True, "bare": True}
    answer = _json(_etcdctl(own, [own["client"]], ["endpoint", "status"], strict=False))
    if answer:
        status = answer[0]["Status"]
        leads = status.get("leader", 0) != 0
        return {"running": True, "quorum": leads, "raftIndex": status["raftIndex"], "revision": status["header"]["revision"]}
    database = os.path.join(own["data"], "member", "snap", "db")
    if not os.path.isfile(database):
        return {"running": False, "quorum": False, "empty": True}
    # etcd locks the file while it has it open, and etcdutl would wait for it without an end.
    if _runs("etcd.service"):
        return {"running": True, "quorum": False, "answers": False}
    return {"running": False, "quorum": False, "revision": _json(_etcdutl(own, ["snapshot", "status", database]))["revision"]}


def no_quorum():
    """
    Refuses while the members have a quorum, as this one knows it or as any other answers. Asked before anything is stopped that would end it.
    """
    own = _settings()
    if not os.path.exists(own["programs"]["etcdctl"]):
        return {"changed": False, "found": "none"}
    # One question that took too long says nothing about the members.
    for _ in range(3):
        answer = _json(_etcdctl(own, [own["client"]], ["endpoint", "status"], strict=False))
        if (answer and answer[0]["Status"].get("leader", 0) != 0) or _members_or_none() is not None:
            raise _refused("QuorumThere", f"the etcd of {own['name']} has a quorum: remove or replace the members that are not well")
    return {"changed": False, "found": "none"}


def add(name, peer):
    """
    Adds a member as a learner, which has no vote and so cannot cost the quorum. Called on a member that is well.
    """
    own = _settings()
    with _exclusive(own):
        return _added(own, name, peer)


def join(aside=False):
    """
    Prepares this server for its first start as a member that was added: asks the members who they are and writes that for etcd. Data of an
    earlier membership is in the way; `aside=True` moves it out of it.
    """
    own = _settings()
    with _exclusive(own):
        found = _members_of_others(own)
        me = _known(found, own["name"], own["peer"])
        if me is None:
            raise _refused("NotAdded", f"{own['name']} is not among the members: add it first")
        if me["started"] and _runs("etcd.service") and _answers(own):
            return {"changed": False, "found": "running"}
        moved = None
        if os.path.isdir(os.path.join(own["data"], "member")):
            if not aside and not me["started"]:
                raise _refused("DataThere", f"{own['data']} has data of an earlier membership: call again with aside=True")
            if me["started"]:
                return {"changed": False, "found": "joined"}
            _systemctl("stop", "etcd.service")
            moved = _aside(own)
        names = {url: name for name, url in own["cluster"].items()}
        pairs = [(member["name"] or names.get(member["peers"][0]) or own["name"], url) for member in found for url in member["peers"]]
        text = "ETCD_INITIAL_CLUSTER={}\nETCD_INITIAL_CLUSTER_STATE=existing\n".format(",".join(f"{name}={url}" for name, url in pairs))
        _write(own["join"], text)
        return {"changed": True, "found": "added", **({"aside": moved} if moved else {})}


def promote(name, peer, seconds=120):
    """
    Gives a learner its vote, as soon as it has what the leader has.
    """
    own = _settings()
    with _exclusive(own):
        until = time.monotonic() + seconds
        while True:
            known = _known(members()["members"], name, peer)
            if known is None:
                raise _refused("NotAdded", f"{name} is not among the members: add it first")
            if not known["learner"]:
                return {"changed": False, "found": "voter", "id": known["id"]}
            try:
                _anywhere(own, ["member", "promote", known["id"]])
                return {"changed": True, "found": "learner", "id": known["id"]}
            except salt.exceptions.CommandExecutionError as error:
                if time.monotonic() > until:
                    raise _refused("NotInSync", f"{name} did not catch up in {seconds} s: {error}") from None
            time.sleep(1)


def remove(name, peer):
    """
    Takes a member out. A leader hands its office over first. Refused when those that remain would have no quorum.
    """
    own = _settings()
    with _exclusive(own):
        return _removed(own, name, peer)


def replace(name, peer):
    """
    After the loss of a disk: takes the dead member out and adds the server as a learner again. A member that is well is left alone.
    """
    own = _settings()
    with _exclusive(own):
        known = _known(members()["members"], name, peer)
        if known is not None and known["learner"]:
            return {"changed": False, "found": "learner", "id": known["id"]}
        if known is not None and known["healthy"]:
            raise _refused("MemberHealthy", f"{name} is a voter and healthy: stop its etcd first if it is to be replaced")
        removed = _removed(own, name, peer) if known is not None else {"found": "none"}
        return {**_added(own, name, peer), "found": removed["found"]}


def update(name, peer):
    """
    Tells the cluster that a member has another peer URL. Called before etcd of that member starts with it.
    """
    own = _settings()
    with _exclusive(own):
        found = members()["members"]
        known = next((member for member in found if member["name"] == name), None)
        if known is None:
            raise _refused("NotAdded", f"{name} is not among the members")
        if known["peers"] == [peer]:
            return {"changed": False, "found": peer}
        others = [member for member in found if member is not known]
        if not known["learner"] and _votes(others) < _majority(found):
            raise _refused("QuorumWouldBeLost", f"while {name} moves, {_votes(others)} voters are healthy and {_majority(found)} are needed")
        _anywhere(own, ["member", "update", known["id"], f"--peer-urls={peer}"])
        return {"changed": True, "found": known["peers"][0]}


def snapshot():
    """
    A snapshot of this member that counts only when it has been restored into a scratch folder and has there what it had before. Returns where
    it lies, for whoever copies it off this server, and its checksum, which `restore` asks for. `restore` also finds it as `taken`.
    """
    own = _settings()
    with _exclusive(own):
        # Whatever becomes of this one, an older one is not what it has made.
        _forget(_taken(own))
        path = os.path.join(own["backups"], _now("%Y%m%dT%H%M%SZ") + ".db")
        part = path + ".part"
        try:
            for _ in range(3):
                _etcdctl(own, [own["client"]], ["snapshot", "save", part], seconds=600)
                copy, member = _read_back(own, part)
                # A compaction between the two changes the hash and not the data.
                if copy["compact_revision"] == member["compact_revision"]:
                    break
            if copy["hash"] != member["hash"]:
                raise _refused("SnapshotBad", f"what was restored has the hash {copy['hash']}, the member {member['hash']}")
            _own(own, part)
            os.rename(part, path)
        finally:
            for left in (part, part + ".part"):
                if os.path.exists(left):
                    os.unlink(left)
        sha256 = _sum(path)
        _write(_taken(own), json.dumps({"path": path, "sha256": sha256}))
        return {"path": path, "sha256": sha256, "bytes": os.path.getsize(path), "revision": copy["hash_revision"], "hash": copy["hash"]}


def snapshots():
    """
    The snapshots that this member keeps, the newest first.
    """
    own = _settings()
    paths = sorted(glob.glob(os.path.join(own["backups"], "*.db")), key=os.path.getmtime, reverse=True)
    return {"snapshots": [{"path": path, "bytes": os.path.getsize(path)} for path in paths]}


def restore(source, sha256="", only=()):
    """
    Makes the data of this server from a snapshot, as all members do from the same one while etcd and the API servers are stopped. Revisions go on
    far above what the snapshot has, and everything below counts as compacted, so that every watch of before ends and lists again.

    `source` is a path here or on the file server of Salt (`salt://…`), or `taken`, the file that the last call of `snapshot` here has made; `only` are
    the members of the new cluster, otherwise those of the document. Data of before is moved aside, and stays there until somebody removes it.
    """
    own = _settings()
    with _exclusive(own):
        _all_stopped()
        path, wanted = _fetched(own, source, sha256)
        found = _sum(path)
        if wanted and found != wanted:
            raise _refused("AnotherFile", f"{source} has the checksum {found}, not {wanted}")
        member = os.path.join(own["data"], "member")
        if _mark(member, found) == _load(os.path.join(member, RESTORED)):
            return {"changed": False, "found": "restored", "sha256": found}
        cluster = {name: url for name, url in own["cluster"].items() if not only or name in _list(only)}
        if own["name"] not in cluster:
            raise _refused("NotAdded", f"{own['name']} is not among the members that are restored")
        for left in glob.glob(os.path.join(own["data"], "restore-*")):
            shutil.rmtree(left)
        fresh = tempfile.mkdtemp(prefix="restore-", dir=own["data"])
        try:
            target = os.path.join(fresh, "data")
            _restore(own, path, target, [f"--bump-revision={BUMP}", "--mark-compacted"], own["name"], cluster, f"{own['token']}-{found[:12]}")
            # All that it needs comes with its name: wherever this ends, the next call finds either the data of before or that of the snapshot.
            made = os.path.join(target, "member")
            _write(os.path.join(made, RESTORED), json.dumps(_mark(made, found)))
            _own(own, made)
            _all_stopped()
            moved = _aside(own)
            os.rename(made, member)
        finally:
            shutil.rmtree(fresh)
        return {"changed": True, "found": "data" if moved else "none", "sha256": found, **({"aside": moved} if moved else {})}


def alone():
    """
    After a lost quorum, on the survivor with the newest data: starts etcd as the only member of its cluster, with everything that it has. Called
    when etcd of all other members is stopped; they join again afterwards, as new ones.
    """
    own = _settings()
    with _exclusive(own):
        found = _members_or_none()
        if _only(own, found):
            _forget(own["join"])
            return {"changed": False, "found": "alone"}
        if found is not None:
            raise _refused("QuorumThere", "the members have a quorum: remove or replace those that are not well")
        if not os.path.isdir(os.path.join(own["data"], "member")):
            raise _refused("NoData", f"{own['data']} is empty: restore a snapshot instead")
        _systemctl("stop", "etcd.service")
        _write(own["join"], "ETCD_FORCE_NEW_CLUSTER=true\n")
        try:
            _systemctl("start", "--no-block", "etcd.service")
            _until(lambda: _only(own, _members_or_none()), 120, "etcd did not come up alone")
        finally:
            # At another start it would throw out members that have joined by then.
            _forget(own["join"])
        return {"changed": True, "found": "survivor"}


def _settings():
    """What the unit and the files of the document say of this member."""
    document = __salt__["tideline.document"]()
    part = next((one for one in document.get("components", []) if one["name"] == "etcd"), None)
    if part is None:
        raise _refused("NoMember", "the document of this server has no etcd")
    text = part["units"]["etcd.service"]["text"]
    flags = dict(re.findall(r"--([a-z-]+)=(\S+)", text))
    variables = {}
    for path, file in part["files"].items():
        if path.endswith("/cluster.env"):
            variables = dict(line.split("=", 1) for line in file["text"].splitlines() if "=" in line)
    cluster = dict(pair.split("=", 1) for pair in variables["ETCD_INITIAL_CLUSTER"].split(","))
    return {
        "name": flags["name"],
        "data": flags["data-dir"],
        "client": flags["advertise-client-urls"],
        "peer": flags["initial-advertise-peer-urls"],
        "files": {name: flags[name] for name in ("trusted-ca-file", "cert-file", "key-file")},
        "tls": [f"--cacert={flags['trusted-ca-file']}", f"--cert={flags['cert-file']}", f"--key={flags['key-file']}"],
        "join": re.search(r"^EnvironmentFile=-(\S+)$", text, re.MULTILINE).group(1),
        "backups": next(path for path in part["directories"] if path.endswith("/backups/etcd")),
        "programs": {name: document["artifacts"][name]["link"] for name in ("etcd", "etcdctl", "etcdutl")},
        "cluster": cluster,
        "token": variables["ETCD_INITIAL_CLUSTER_TOKEN"],
    }


@contextlib.contextmanager
def _exclusive(own):
    """Two calls at once would each have looked before the other changed something. The lock ends with the process that has it."""
    path = os.path.join(os.path.dirname(own["join"]), "etcd.lock")
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refused("Busy", "another function changes etcd on this server: call again when it has ended") from None
        yield


def _added(own, name, peer):
    found = members()["members"]
    known = _known(found, name, peer)
    if known is not None:
        return {"changed": False, "found": "learner" if known["learner"] else "voter", "id": known["id"]}
    learner = next((member for member in found if member["learner"]), None)
    if learner is not None:
        raise _refused("LearnerThere", f"{_called(learner)} is a learner: promote or remove it before another joins")
    if _votes(found) < _majority(found):
        raise _refused("QuorumLost", "too few members are healthy to add one: recover the cluster first")
    order = ["member", "add", name, "--learner", f"--peer-urls={peer}"]
    _settled(own, order, lambda now: _known(now, name, peer) is not None)
    return {"changed": True, "found": "none"}


def _removed(own, name, peer):
    found = members()["members"]
    gone = _known(found, name, peer)
    if gone is None:
        return {"changed": False, "found": "none"}
    rest = [member for member in found if member is not gone]
    if not gone["learner"]:
        if not any(not member["learner"] for member in rest):
            raise _refused("LastMember", f"{name} is the last member with a vote: the data of the cluster would be gone")
        if _votes(rest) < _majority(rest):
            raise _refused("QuorumWouldBeLost", f"without {name} {_votes(rest)} of {_voters(rest)} voters are healthy, {_majority(rest)} are needed")
    moved = _hand_over(own, gone, rest)
    order = ["member", "remove", gone["id"]]
    _settled(own, order, lambda now: all(member["id"] != gone["id"] for member in now), avoid=gone["clients"])
    return {"changed": True, "found": "learner" if gone["learner"] else "voter", "ledBefore": gone.get("leader", False), **moved}


def _member(one):
    return {
        # etcdctl prints a number, the API of etcd a text.
        "id": format(int(one["ID"]), "x"),
        "name": one.get("name", ""),
        "peers": one.get("peerURLs", []),
        "clients": one.get("clientURLs", []),
        "learner": one.get("isLearner", False),
        # A member that was added and has not come up yet has no name.
        "started": one.get("name", "") != "",
        "leader": False,
    }


def _known(found, name, peer):
    return next((member for member in found if member["name"] == name or peer in member["peers"]), None)


def _called(member):
    return member["name"] or member["peers"][0]


def _voters(found):
    return sum(not member["learner"] for member in found)


def _votes(found):
    return sum(not member["learner"] and member["healthy"] for member in found)


def _majority(found):
    return _voters(found) // 2 + 1


def _hand_over(own, gone, rest):
    """A leader that leaves costs an election; one that hands over first costs nothing that a client notices."""
    if not gone["leader"]:
        return {}
    able = [member for member in rest if not member["learner"] and member["healthy"]]
    if not able:
        return {}
    heir = max(able, key=lambda member: member["raftIndex"])
    _etcdctl(own, gone["clients"], ["move-leader", heir["id"]])
    return {"leader": heir["name"]}


def _read_back(own, path):
    """
    What an etcd of its own says that was started on a restored copy, and what the running member says, of the same revision. It listens on sockets
    in a folder that nobody else enters. `etcdutl hashkv` is no way: it ends with a panic where a key has a lease, as every Kubernetes has.
    """
    revision = _json(_etcdutl(own, ["snapshot", "status", path]))["revision"]
    scratch = tempfile.mkdtemp(prefix=".verify-", dir=own["backups"])
    peer, client = "unix://127.0.0.1:1", "unix://127.0.0.1:2"
    urls = [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=verify={peer}"]
    urls += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    order = ["endpoint", "hashkv", f"--rev={revision}"]
    copy = [own["programs"]["etcdctl"], f"--endpoints={client}", "--command-timeout=600s", "-w", "json", *order]
    try:
        _restore(own, path, os.path.join(scratch, "data"), [], "verify", {"verify": peer}, "verify")
        command = [own["programs"]["etcd"], "--name=verify", f"--data-dir={os.path.join(scratch, 'data')}", *urls]
        with subprocess.Popen(command, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as etcd:
            try:
                _until(lambda: os.path.exists(os.path.join(scratch, "127.0.0.1:2")), 120, "a copy of the snapshot did not start")
                restored = _json(_program(copy, True, scratch))
            finally:
                etcd.kill()
    finally:
        shutil.rmtree(scratch)
    member = _json(_etcdctl(own, [own["client"]], order, seconds=600))
    return restored[0]["HashKV"], member[0]["HashKV"]


def _restore(own, path, target, more, name, cluster, token):
    listed = ",".join(f"{member}={url}" for member, url in cluster.items())
    _etcdutl(
        own,
        ["snapshot", "restore", path, f"--data-dir={target}", f"--name={name}", f"--initial-cluster={listed}"]
        + [f"--initial-cluster-token={token}", f"--initial-advertise-peer-urls={cluster[name]}", *more],
    )


def _all_stopped():
    for unit in ("kube-apiserver.service", "etcd.service"):
        if _runs(unit):
            raise _refused("StillRunning", f"{unit} runs: stop it on every control plane and member before anything is restored")


def _mark(member, sha256):
    """What a restore leaves: once etcd has written to the file, the same snapshot can be restored again."""
    try:
        found = os.stat(os.path.join(member, "snap", "db"))
    except FileNotFoundError:
        return {"sha256": sha256}
    return {"sha256": sha256, "inode": found.st_ino, "modifiedNs": found.st_mtime_ns}


def _taken(own):
    """Where the last snapshot of the function says its path and checksum. Names and times of files say nothing: people and clocks make them."""
    return os.path.join(own["backups"], "taken.json")


def _fetched(own, source, sha256):
    """The path of a snapshot, and the checksum that it must have."""
    if source == "taken":
        taken = _load(_taken(own))
        if taken is None or not os.path.isfile(taken["path"]):
            raise _refused("NoSnapshot", f"{own['backups']} has none that tideline_etcd.snapshot made")
        return taken["path"], sha256 or taken["sha256"]
    if source.startswith("salt://"):
        source = __salt__["cp.cache_file"](source) or source
    if not os.path.isfile(source):
        raise _refused("NoSnapshot", f"there is no file {source}")
    return source, sha256


def _aside(own):
    """Moves the data of before out of the way. None is ever removed: which one is needed is for people to say."""
    data = os.path.join(own["data"], "member")
    if not os.path.isdir(data):
        return None
    target = os.path.join(own["data"], _now("before-%Y%m%dT%H%M%S.%fZ"))
    os.rename(data, target)
    return target


def _now(form):
    return datetime.datetime.now(datetime.timezone.utc).strftime(form)


def _own(own, path):
    """Gives a file or a folder to the user of etcd, for whom Salt, as root, made it."""
    user = os.stat(own["data"])
    inside = [os.path.join(folder, name) for folder, folders, files in os.walk(path) for name in folders + files]
    for one in [path, *inside]:
        os.chown(one, user.st_uid, user.st_gid)


def _sum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1024 * 1024), b""):
            digest.update(block)
    return digest.hexdigest()


def _list(value):
    return value.split(",") if isinstance(value, str) else list(value)


def _load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _write(path, text):
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def _forget(path):
    if os.path.exists(path):
        os.unlink(path)


def _members_or_none():
    """None without a quorum: who is a member is answered by consensus."""
    try:
        return members()["members"]
    except salt.exceptions.CommandExecutionError:
        return None


def _only(own, found):
    return found is not None and [member["name"] for member in found] == [own["name"]]


def _answers(own):
    return bool(_json(_etcdctl(own, [own["client"]], ["endpoint", "status"], strict=False)))


def _until(holds, seconds, otherwise):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise _refused("TooLong", f"{otherwise} in {seconds} s")
        time.sleep(0.5)


def _runs(unit):
    return subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0


def _systemctl(*order):
    done = subprocess.run(["systemctl", *order], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _refused("UnitFailed", f"systemctl {' '.join(order)}: {done.stderr.strip()}")


def _settled(own, order, done, avoid=(), seconds=60):
    """
    A change of the membership. etcd refuses it while its members have not known each other for five seconds, and drops it without an answer while another
    change is not stored yet. So it is asked for again until it stands in the list of members, which `done` is given.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return _anywhere(own, order, avoid=avoid)
        except salt.exceptions.CommandExecutionError as error:
            waits = "unhealthy cluster" in str(error) or "deadline exceeded" in str(error)
            if done(members()["members"]):
                return None
            if not waits or time.monotonic() > until:
                raise
        time.sleep(1)


def _others(own):
    return [url.replace(":2380", ":2379") for name, url in own["cluster"].items() if name != own["name"]]


def _members_of_others(own):
    """What the first other member says that can, asked without etcdctl, which a server that joins does not have yet."""
    context = ssl.create_default_context(cafile=own["files"]["trusted-ca-file"])
    context.load_cert_chain(own["files"]["cert-file"], own["files"]["key-file"])
    failed = "there is no other member"
    for endpoint in _others(own):
        asked = urllib.request.Request(f"{endpoint}/v3/cluster/member/list", data=b'{"linearizable": true}')
        try:
            with urllib.request.urlopen(asked, timeout=5, context=context) as answer:
                return [_member(one) for one in json.loads(answer.read(1024 * 1024)).get("members", [])]
        except OSError as error:
            failed = error
    raise _refused("NoAnswer", f"no member says who the members are: {failed}")


def _anywhere(own, order, avoid=()):
    """What the first member answers that can: this one, or the others that the document names."""
    failed = []
    for endpoint in [own["client"], *_others(own)]:
        if endpoint in avoid:
            continue
        try:
            return _etcdctl(own, [endpoint], order)
        except salt.exceptions.CommandExecutionError as error:
            failed.append(f"{endpoint}: {error}")
    raise _refused("NoAnswer", f"no member does `{' '.join(order[:2])}`: {'; '.join(failed) or 'there is no other member'}")


def _etcdctl(own, endpoints, order, strict=True, seconds=3):
    """What etcdctl prints. Not `strict`: also when some of the endpoints did not answer."""
    return _program(
        [own["programs"]["etcdctl"], f"--endpoints={','.join(endpoints)}", *own["tls"], f"--command-timeout={seconds}s", "-w", "json", *order],
        strict,
    )


def _etcdutl(own, order):
    return _program([own["programs"]["etcdutl"], "-w", "json", *order], True)


def _program(command, strict, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={"PATH": "/usr/bin:/bin"})
    if strict and done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        # What a program says last counts, unless it fell over its own feet.
        said = [line for line in lines if line.startswith(("panic:", "fatal error:"))] or lines[-1:]
        raise _refused("EtcdSays", said[0] if said else f"{command[0]} ended with {done.returncode}")
    return done.stdout


def _json(text):
    return json.loads(text) if text.strip() else []


def _refused(reason, message):
    return salt.exceptions.CommandExecutionError(f"{reason}: {message}")
