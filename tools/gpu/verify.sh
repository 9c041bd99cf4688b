#!/bin/sh
# Says whether a machine with NVIDIA GPUs is ready for pods: driver, GPUs, CDI, and the runtime of containerd. It changes nothing, and
# needs neither CUDA nor a cluster. Ends with 1 and the reason at the first thing that is missing.
#   tools/gpu/verify.sh [--product NAME] [--count N] [--root FOLDER]
# Without --product and --count it takes those of /etc/tideline-gpus.json, where `tideline fleet compile` wrote what the ServerClass says.
set -eu
product='' count='' root=''
while [ $# -gt 0 ]; do
  case $1 in
    --product) product=${2:?--product needs a name} ;;
    --count) count=${2:?--count needs a number} ;;
    --root) root=${2:?--root needs a folder} ;;
    *) echo "verify.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
fail() { echo "not ready: $1" >&2; exit 1; }
ok() { echo "ok: $1"; }

wanted=$root/etc/tideline-gpus.json
field() { sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$wanted"; }
if [ -f "$wanted" ]; then
  [ -n "$product" ] || product=$(field product)
  [ -n "$count" ] || count=$(field count)
fi

[ -r "$root/proc/driver/nvidia/version" ] || fail 'the kernel has no NVIDIA driver (/proc/driver/nvidia/version is missing): modprobe nvidia, or reboot after it was installed'
command -v nvidia-smi >/dev/null || fail 'there is no nvidia-smi: install the package nvidia-smi or that of the driver'
list=$(timeout 60 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader) || fail "nvidia-smi fails: $list"
[ -n "$list" ] || fail 'nvidia-smi lists no GPU'
found=$(printf '%s\n' "$list" | wc -l | tr -d ' ')
names=$(printf '%s\n' "$list" | sed 's/,[^,]*$//' | sort -u)
[ -z "$count" ] || [ "$found" -eq "$count" ] || fail "there are $found GPUs, and $count are expected"
[ -z "$product" ] || [ "$names" = "$product" ] || fail "the GPUs are $(printf '%s' "$names" | tr '\n' ';'), and $product is expected"
ok "driver, $found GPUs: $(printf '%s' "$names" | tr '\n' ';')"

command -v nvidia-ctk >/dev/null || fail 'there is no nvidia-ctk: install nvidia-container-toolkit'
specification=''
for path in etc/cdi/nvidia.yaml var/run/cdi/nvidia.yaml etc/cdi/nvidia.json var/run/cdi/nvidia.json; do
  if [ -s "$root/$path" ]; then specification=/$path; break; fi
done
[ -n "$specification" ] || fail 'there is no CDI specification: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml'
devices=$(nvidia-ctk cdi list 2>/dev/null | grep -c '^nvidia.com/gpu=' || true)
[ "$devices" -ge "$found" ] || fail "CDI has $devices devices of nvidia.com/gpu, and there are $found GPUs: write $specification again"
ok "CDI: $specification"

if [ -d "$root/etc/containerd" ]; then
  [ -s "$root/etc/containerd/conf.d/99-nvidia.toml" ] || fail 'containerd has no runtime nvidia (/etc/containerd/conf.d/99-nvidia.toml is missing): apply the formula gpu'
  command -v nvidia-container-runtime >/dev/null || fail 'there is no nvidia-container-runtime, which containerd is to start: install nvidia-container-toolkit'
  ok 'containerd: runtime nvidia'
fi

timeout 60 nvidia-smi >/dev/null || fail 'nvidia-smi fails where it shows all GPUs'
echo 'ready'
