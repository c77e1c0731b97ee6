#!/usr/bin/env python3
"""read.py FILE...: each kickstart as anaconda's parser (pykickstart, by the rules of RHEL6) understands it, one JSON object a line."""

import json
import sys

from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion


def understood(path):
    handler = makeVersion("RHEL6")
    parser = KickstartParser(handler)
    parser.readKickstart(path)
    network, = handler.network.network
    return {
        "lang": handler.lang.lang,
        "keyboard": handler.keyboard.keyboard,
        "zone": [handler.timezone.timezone, handler.timezone.isUtc],
        "method": [handler.method.method, getattr(handler.method, "url", None)],
        "root": [handler.rootpw.password, handler.rootpw.isCrypted],
        "only": handler.ignoredisk.onlyuse,
        "zeroed": handler.zerombr.zerombr,
        "cleared": [handler.clearpart.drives, handler.clearpart.initAll],
        "boot_loader": [handler.bootloader.location, handler.bootloader.appendLine],
        "autopart": handler.autopart.autopart,
        "logical": len(handler.logvol.lvList) + len(handler.volgroup.vgList) + len(handler.raid.raidList),
        "partitions": [[part.mountpoint, part.fstype, part.size, part.grow, part.disk]
                       for part in handler.partition.partitions],
        "network": [network.device, network.bootProto, network.ip, network.netmask, network.gateway,
                    network.nameserver, network.hostname, network.noipv6, network.onboot],
        "firewall": [handler.firewall.enabled, handler.firewall.services, handler.firewall.ports],
        "finish": handler.reboot.action,
        "packages": [handler.packages.addBase, [group.name for group in handler.packages.groupList],
                     handler.packages.packageList],
        "scripts": [[script.type, script.inChroot, script.errorOnFail, script.script] for script in handler.scripts],
    }


for name in sys.argv[1:]:
    print(json.dumps(understood(name)))
