"""From fresh to ready as CentOS 6.6 would let it (on the desk): el6.py DISK

Twice the same way: first as this kernel and these tools are, then under floor.py, with tools that refuse every option
that CentOS 6.6's versions do not have, and under a trace. Both have to come to the same end, and the trace shows that
nothing was asked for that 6.6 lacks.
"""

import json
import os
import re
import shutil
import subprocess
import sys

from machine import AGENT, Machine, pretend_restart, write

FLOOR = ["python3", "-B", "/run/lab/floor.py"]
TRACE = "/run/lab/out/trace"
CALLS = "execve,clone,clone3,fork,vfork,%file"
ASIDE = "/usr/lib/el6"

# What the agent may start, and the options that it may use: CentOS 6.6's version has each, by its manual or source.
# `-o:a,b`: with these values. Not all that it has stands here. No lsblk, no findmnt: 6.6's miss multipath devices.
TOOLS = {
    # yum 3.2.29-60.el6
    "yum": "-y -q -v -d -e -c -t -C -x -R -h --setopt --installroot --releasever --enablerepo --disablerepo --exclude "
           "--nogpgcheck --noplugins --disableplugin",
    # rpm 4.8.0-38.el6
    "rpm": "-q -a -p -f -qa -qp -qf -V -K -Kv -E -e -i -iv -ivh -U -Uv -Uvh -v --eval --qf --queryformat --dbpath --root "
           "--nosignature --nodigest --whatprovides --test --nodeps --noscripts --replacepkgs --ignoresize --ignorearch "
           "--requires --provides --import --define",
    # util-linux-ng 2.17.2-12.18.el6; `export` came with 2.18
    "blkid": "-p -o:full,value,list,device,udev -c -g -h -l -L -s -t -u -U -O -S -v -w",
    "mount": "-a -B -M -R -f -F -h -i -l -L -n -o -O -p -r -s -t -U -v -V -w --bind --move --rbind",
    "wipefs": "-a -n -o -p -h -V",
    "partx": "-a -d -l --nr --type",
    "blockdev": "--rereadpt --getsz --getsize64 --getro --getss --flushbufs",
    # e2fsprogs 1.41.12-21.el6
    "mkfs.ext4": "-b -c -f -g -G -i -I -j -J -K -l -L -m -M -n -N -o -O -q -r -R -s -S -t -T -U -v -V -E -F",
    # udev 147-2.57.el6
    "udevadm": "--timeout --seq-start --seq-end --exit-if-exists --quiet --version",
    # device-mapper 1.02.90-2.el6
    "dmsetup": "-c -C -f -u -v -y --target",
    # device-mapper-multipath 0.4.9-80.el6, chkconfig 1.3.49.3-2.el6_4.1, initscripts 9.03.46-1.el6.centos
    "multipath": "-v -l -ll -d -f -F -r -t -q -p -b -B -c -h",
    "chkconfig": "--list --add --del --override --level --type",
    "service": "--status-all",
    # coreutils 8.4, bash 4.1
    "dd": "",
    "uname": "-a -s -n -r -v -m -p -i -o",
    "chcon": "--reference -h -v -R -u -r -t -l",
    "bash": "-c",
    # VMware Tools, which 6.6 does not bring along: asked only where they are
    "vmware-toolbox-cmd": "-h -v -q",
    "vmware-rpctool": "",
    "vmtoolsd": "--cmd",
}

DEVICE = (r"(sd[a-z]+\d*|(sr|fd|md|loop|ram|vd[a-z]|host)\d*|dm-\d+|target[\d:]+|\d+:\d+(:\d+:\d+)?|pci[0-9a-f:]+|"
          r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d|block|virtual)")

# What it may look at in /proc and /sys: 2.6.32 has all of it, or the older way is beside it and tested.
PATHS = [
    r"/proc/(cpuinfo|filesystems|loadavg|locks|mdstat|meminfo|mounts|partitions|stat|swaps|uptime|version)",
    r"/proc/self/(cgroup|exe|fd(/N)?|maps|mountinfo|mounts|stat|status)",
    r"/proc/N(/(cmdline|cwd|exe|fd|fd/N|fdinfo|fdinfo/N|maps|root|stat|status|comm|task|task/N(/(fd|fd/N|fdinfo|fdinfo/N))?))?",
    # Of 3.3: where it is not, maps tells what is mapped.
    r"/proc/N/map_files(/.*)?",
    r"/proc/sys/kernel/(hostname|osrelease|random/boot_id|random/uuid|version|ngroups_max)",
    r"/proc/net(/(bonding|bonding/.*|dev|route|tcp6?|vlan|vlan/.*))?",
    r"/proc(/self)?",
    r"/sys(/(block|bus|class|dev|dev/block|devices))?",
    # How many threads are worth while: Rust's library does without.
    r"/sys/fs/cgroup/cpu(,cpuacct)?/",
    # A disk, its map, its partitions: attributes, links and directories of 2.6.32.
    rf"/sys/(block|class/block|dev/block|devices)(/{DEVICE})*(/device)?(/(dev|size|start|ro|removable|stat|uevent|partition|"
    r"holders|slaves|dm|dm/name|dm/uuid|device/media|md|md/(level|array_state)|loop|loop/backing_file|queue|queue/(iostats|logical_block_size|"
    r"max_sectors_kb|rotational)|inflight|vendor|model|rev|type|state|class|subsystem|driver))?",
    # A partition is what has this file: every entry of a disk's directory is asked, `size` and `ro` too.
    rf"/sys/(block|devices)(/{DEVICE})*/(dev|dm|holders|inflight|queue|removable|ro|size|slaves|stat|uevent)/partition",
    # Where it is not, the device mapper is asked.
    r"/sys/block/dm-\d+/dm/suspended",
    # Where it is not, the superblock alone tells of errors.
    r"/sys/fs/ext4/[a-z0-9-]+/errors_count",
    # Of 4.15: paths that are no disk of their own. Where it is not, none is.
    r"/sys/block/[a-z0-9-]+/hidden",
    rf"/sys/devices(/{DEVICE})*/net(/\w+(/device)?)?",
    r"/sys/devices/system/cpu/online",
    # Newer kernels answer without a command to the disk; 2.6.32 is asked by SG_IO (scenarios/centos-6.6-ready).
    r"/sys/.*/device/(vpd_pg83|vpd_pg80|wwid)",
    r"/sys/class/(net|scsi_host|scsi_disk|scsi_device|dmi|dmi/id)(/.*)?",
    r"/sys/bus/(pci|scsi)(/.*)?",
    r"/sys/kernel/(kexec_crash_size|kexec_crash_loaded|kexec_loaded)",
    # Where it is, and only then: a machine with EFI, SELinux (el6's lies at /selinux).
    r"/sys/firmware(/efi)?",
    r"/sys/fs/selinux(/enforce)?",
]
KNOWN = re.compile("|".join(f"(?:{path})" for path in PATHS))

STAND_IN = f"""#!/bin/bash
# Refuses what CentOS 6.6's version of this tool does not know; only what the agent starts is looked at.
tool=${{0##*/}}
if [[ $(<"/proc/$PPID/comm") == mt-agent ]]; then
    read -r -a known <"{ASIDE}/$tool.options"
    wanted=
    for word; do
        if [[ -n $wanted ]]; then
            [[ ,${{wanted#*:}}, == *,"$word",* ]] ||
                {{ echo "$tool: no format '$word'" >&2; echo "$tool $*" >>/run/lab/out/refused; exit 64; }}
            wanted=
        elif [[ $word == -?* ]]; then
            found=
            for option in "${{known[@]}}"; do
                [[ ${{option%%:*}} != "${{word%%=*}}" ]] || found=$option
            done
            [[ -n $found ]] ||
                {{ echo "$tool: invalid option '$word'" >&2; echo "$tool $*" >>/run/lab/out/refused; exit 64; }}
            [[ $found != *:* ]] || wanted=$found
        fi
    done
fi
exec -a "$0" "{ASIDE}/$tool" "$@"
"""


def old_tools():
    """Every tool is as old as CentOS 6.6's."""
    os.mkdir(ASIDE)
    for tool, options in TOOLS.items():
        place = shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if tool == "bash" or not place:
            continue
        # A link leads on from its new place too: mkfs.ext4 is mke2fs under another name.
        if os.path.islink(place):
            os.symlink(os.path.realpath(place), f"{ASIDE}/{tool}")
            os.remove(place)
        else:
            shutil.move(place, f"{ASIDE}/{tool}")
        write(f"{ASIDE}/{tool}.options", (options + "\n").encode())
        write(place, STAND_IN.encode())
        os.chmod(place, 0o755)


def old_proc():
    """A meminfo as 2.6.32 has it."""
    with open("/proc/meminfo", encoding="ascii") as stream:
        kept = [line for line in stream if not line.startswith(("MemAvailable", "KReclaimable", "ShmemHuge", "Percpu"))]
    write("/run/lab/meminfo", "".join(kept).encode())
    subprocess.run([f"{ASIDE}/mount", "--bind", "/run/lab/meminfo", "/proc/meminfo"], check=True)


def report(prefix, *arguments):
    done = subprocess.run([*prefix, AGENT, *arguments, "--format", "json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=600)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {"said": (done.stdout + done.stderr).decode(errors="replace")}


def essence(prefix):
    """What check, plan, disks and history say that no clock and no chance decides."""
    code, check = report(prefix, "check")
    findings = [(finding["id"], finding["status"]) for finding in check.get("findings", [])]
    plan_code, plan = report(prefix, "plan")
    disks_code, disks = report(prefix, "disks", "--probe")
    history_code, _ = report(prefix, "history")
    return [code, check.get("verdict", check), findings, plan_code,
            [(change["kind"], change["requirement"]) for change in plan.get("changes", [])], disks_code, disks, history_code]


def way(machine, prefix, how):
    """From fresh to ready; what was seen on it."""
    seen = []
    for want, text in ((3, "what can be done before the restart"), (0, "the rest"), (0, "nothing is left to do")):
        seen.append(essence(prefix))
        status, said = machine.apply(prefix=prefix)
        machine.expect(f"{how}: apply exits {want}: {text}", [] if status == want else [f"it exits {status}:", said])
        if want == 3:
            pretend_restart()
    seen.append(essence(prefix))
    machine.expect(f"{how}: check ends with ready", [] if seen[-1][:2] == [0, "ready"] else [str(seen[-1])])
    return seen


def of_the_agent(lines):
    """The calls of the agent's own threads, and of what it forks until that is another program; (call, rest)."""
    parents, calls, begun = {}, [], {}
    for line in lines:
        pid, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        # strace prints a call that another one interrupted in two parts.
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest[:-len("<unfinished ...>")]
            continue
        if rest.startswith("<... "):
            rest = begun.pop(pid, "") + rest.partition(" resumed>")[2]
        born = re.match(r"(?:clone3?|v?fork)\(.* = (\d+)$", rest)
        if born:
            parents[born[1]] = pid
        calls.append((pid, rest))
    image = {}

    def agent(pid):
        while pid not in image and pid in parents:
            pid = parents[pid]
        return image.get(pid, False)

    for pid, rest in calls:
        started = re.match(r'execve\("([^"]*)"', rest)
        ours = agent(pid)
        if started and rest.endswith("= 0"):
            image[pid] = started[1] == AGENT
            if not ours:
                continue
        if ours:
            yield rest


def traced(machine):
    with open(TRACE, encoding="utf-8", errors="replace") as stream:
        calls = list(of_the_agent(stream))
    tools, paths, tried = {}, set(), 0
    for rest in calls:
        started = re.match(r'execve\("([^"]*)", \[(.*)\]', rest)
        if started:
            tools.setdefault(os.path.basename(started[1]), started[2])
            continue
        for path in re.findall(r'"(/(?:proc|sys)(?:/[^"]*)?)"', rest):
            tried += 1
            paths.add(re.sub(r"/\d+(?=/|$)", "/N", path))
    machine.expect(f"it started {', '.join(sorted(tools))}, and nothing that 6.6 lacks",
                   [f"{tool} {words}" for tool, words in tools.items() if tool not in TOOLS and tool != "mt-agent"]
                   or [f"too few to be true: {tools}"] * (len(tools) < 5))
    strange = sorted(path for path in paths if not KNOWN.fullmatch(path))
    machine.expect(f"it looked at {len(paths)} places in /proc and /sys ({tried} times), and at none that 6.6 lacks",
                   strange or ["too few to be true"] * (len(paths) < 50))


def main():
    machine = Machine(sys.argv[1])
    machine.keep_state()
    machine.put_back()
    today = way(machine, (), "as it is")
    machine.put_back()
    old_tools()
    old_proc()
    write("/run/lab/out/refused", b"")
    write(TRACE, b"")
    below = way(machine, ("strace", "-f", "-qq", "-A", "-s", "300", "-o", TRACE, "-e", "trace=" + CALLS, *FLOOR), "as on CentOS 6.6")
    names = ("fresh", "restart owed", "ready", "still ready")
    machine.expect("check, plan, disks and history said the same on every step",
                   [f"{name}:\n{ours}\nand as it is:\n{theirs}" for name, ours, theirs in zip(names, below, today) if ours != theirs])
    with open("/run/lab/out/refused", encoding="utf-8", errors="replace") as stream:
        machine.expect("no tool refused an option", stream.read().splitlines())
    refused = subprocess.run(["bash", "-c", "exec -a mt-agent bash -c 'echo mt-agent >/proc/self/comm; blkid -p -o export /dev/null; :'"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.decode()
    machine.expect("the tools would have refused one", [] if "no format 'export'" in refused else [refused])
    traced(machine)
    Machine.end()


main()
