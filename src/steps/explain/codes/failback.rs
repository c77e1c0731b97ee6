//! Codes of reprotection and failback: what a master target has to do with.

use super::code::Code;

const REPROTECT: &str = "Reprotect from Azure to an on-premises site, Common error codes";

pub(super) const CODES: &[Code] = &[
    Code {
        code: 95226,
        title: "Reprotection failed: the Azure VM cannot reach the configuration server",
        causes: &[
            "The network of the VM in Azure has no way to the configuration server on the premises: no site-to-site \
             VPN, no ExpressRoute with private peering, or a firewall in between. The VM is then never discovered and \
             registered.",
            "The InMage Scout Application Service, which speaks to the configuration server, did not start in the VM \
             after the failover.",
        ],
        fixes: &[
            "From the VM in Azure, try the configuration server on port 443. If that fails, set up the VPN or \
             ExpressRoute, routes and firewall rules.",
            "If it works, start the InMage Scout Application Service in the VM and set it to start automatically.",
            "Reprotect again; after its boot the VM needs up to 15 minutes to register.",
        ],
        section: REPROTECT,
        requirements: &["network.dns", "site.configuration-server"],
        not_seen: "The way from Azure to the configuration server and the service in the Azure VM. The agent tries the \
                   way from the master target: if that fails too, the configuration server itself is at fault.",
    },
    Code {
        code: 78052,
        title: "Protection could not be completed for the VM",
        causes: &[
            "A VM of the same name exists already on the ESXi host of the master target, where the VM that fails back \
             is to be made.",
            "The operating system of the VM is not supported for failback yet (Windows Server 2016 at the time of the \
             procedure).",
        ],
        fixes: &[
            "Rename the VM that is in the way, if it is a leftover.",
            "Or choose a master target on another ESXi host, or move this one to a host without such a VM by vMotion \
             (not by Storage vMotion).",
        ],
        section: REPROTECT,
        requirements: &[],
        not_seen: "The names of VMs on the ESXi host: only vCenter can tell.",
    },
    Code {
        code: 78093,
        title: "The VM is not running, hangs or cannot be reached",
        causes: &[
            "The VM that failed over is switched off or hangs in Azure: its mobility service cannot register at the \
             configuration server.",
            "It is attached to a network from which the configuration server and the process server cannot be reached.",
        ],
        fixes: &[
            "Start or restart the VM in Azure and see that it is in the right network.",
            "When it answers, run the reprotection again.",
        ],
        section: REPROTECT,
        requirements: &["site.configuration-server", "site.process-server"],
        not_seen: "The VM in Azure. The agent reports whether the servers answer the master target.",
    },
    Code {
        code: 8061,
        title: "The datastore cannot be reached from the ESXi host",
        causes: &[
            "The datastore with the disks of the VM that fails back is not mounted on the master target's ESXi host, or \
             read-only.",
            "The datastore is of a type that failback does not support: only VMFS and vSAN are.",
            "The tools do not run in the master target, so that the datastores of its host are not detected.",
        ],
        fixes: &[
            "Mount the datastore on the master target's ESXi host, read and write.",
            "Put the VM on a VMFS or vSAN datastore; going back to another one costs a full download of its disks.",
            "See that VMware Tools run in the master target and that it uses LSI Logic controllers only.",
        ],
        section: REPROTECT,
        requirements: &["hypervisor.vmware", "hypervisor.tools", "hypervisor.controllers"],
        not_seen: "Datastores, their types and who may reach them: only vCenter can tell.",
    },
    Code {
        code: 8038,
        title: "The VM on the premises could not be started",
        causes: &["The ESXi host on which the VM is to start is short of memory."],
        fixes: &[
            "Free memory on the ESXi host, or give it more.",
            "Or move the VM to an ESXi host with enough memory by vMotion, and start it there.",
        ],
        section: "Troubleshoot failback to VMware from Azure, Common errors",
        requirements: &[],
        not_seen: "The memory of the ESXi host: only vCenter can tell.",
    },
];
