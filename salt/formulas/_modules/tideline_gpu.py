"""Execution module of Tideline: whether the GPUs of this server are those that its document names."""

import json
import os
import re
import shutil
import subprocess

__virtualname__ = "tideline_gpu"

# `tideline fleet compile` writes it: product, count and driver of the ServerClass.
EXPECTED = "/etc/tideline-gpus.json"
# The toolkit writes one of them: by hand or by `nvidia-ctk cdi generate`, and since 1.18 by a service at each boot.
SPECIFICATIONS = ("/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.yaml", "/etc/cdi/nvidia.json", "/var/run/cdi/nvidia.json")
QUERY = ["nvidia-smi", "--query-gpu=name,driver_version,uuid", "--format=csv,noheader"]
SECONDS = 60


def __virtual__():
    return __virtualname__


def present():
    """
    The GPUs that the driver sees, in its order: ``[{"product", "driver", "uuid"}]``. An empty list where there is no driver.

    CLI Example:

    .. code-block:: bash

        salt 'gpu-*' tideline_gpu.present --out=json --static
    """
    return _read()[0]


def check():
    """
    What is wrong with the GPUs of this server, a sentence each; an empty list where they are as the document says.

    CLI Example:

    .. code-block:: bash

        salt 'gpu-*' tideline_gpu.check --out=json --static
    """
    try:
        with open(EXPECTED, encoding="utf-8") as file:
            expected = json.load(file)
    except FileNotFoundError:
        return ["the document of this server names no GPUs ({} is missing)".format(EXPECTED)]
    found, fault = _read()
    if fault is not None:
        return [fault]
    faults = differences(expected, found)
    if not any(os.path.exists(path) for path in SPECIFICATIONS):
        faults.append("there is no CDI specification: run nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml")
    return faults


def differences(expected, found):
    """What differs between the GPUs of a ServerClass and those that nvidia-smi lists."""
    faults = []
    if len(found) != expected["count"]:
        faults.append("the driver sees {} GPUs, the ServerClass has {}".format(len(found), expected["count"]))
    others = sorted({gpu["product"] for gpu in found} - {expected["product"]})
    if others:
        faults.append("there are GPUs of another product: {}, not {}".format(", ".join(others), expected["product"]))
    # Of a package, `570.133.20-1`, the part that the driver itself has; there may be an epoch in front.
    wanted = re.sub(r"^\d+:", "", expected["driver"]).split("-")[0]
    drivers = sorted({gpu["driver"] for gpu in found} - {wanted})
    if drivers:
        faults.append("the driver that runs is {}, not {}: reboot the server".format(", ".join(drivers), wanted))
    return faults


def parse(text):
    """The lines of QUERY. A line of another form, such as an error of one GPU, counts as a GPU that is none."""
    gpus = []
    for line in text.splitlines():
        if line.strip() == "":
            continue
        fields = [field.strip() for field in line.split(",")]
        product, driver, uuid = fields if len(fields) == 3 else (line.strip(), "", "")
        gpus.append({"product": product, "driver": driver, "uuid": uuid})
    return gpus


def _read():
    if shutil.which(QUERY[0]) is None:
        return [], "there is no nvidia-smi: the driver is not installed"
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [], "nvidia-smi did not answer within {} s: a GPU hangs".format(SECONDS)
    if answer.returncode != 0:
        said = (answer.stdout.strip() or answer.stderr.strip()).splitlines()
        return [], "nvidia-smi failed: {}".format(said[0][:200] if said else answer.returncode)
    return parse(answer.stdout), None
