# A golden image of a Linux master target on CentOS 6.6. See README.md.

packer {
  required_version = ">= 1.10.0"
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = "~> 1.4"
    }
  }
}

locals {
  upload = "/root/mt-agent-build"

  # CentOS 6.6's discs have no VMware Tools, and without them vsphere-iso never learns the address of the VM. So the
  # installer itself puts them there, from a second CD; which drive that is depends on the order of discovery.
  install_tools = <<-EOT

    %post --erroronfail --log=/root/install-tools.log
    set -e
    for drive in /dev/sr*; do
        mount -o ro "$drive" /mnt || continue
        set -- /mnt/*.rpm
        if [ -e "$1" ]; then rpm -U --replacepkgs "$@"; fi
        umount /mnt
    done
    if [ -e /etc/rc.d/init.d/vmtoolsd ]; then chkconfig vmtoolsd on; fi
    %end
  EOT
}

source "vsphere-iso" "master-target" {
  vcenter_server      = var.vcenter_server
  username            = var.vcenter_username
  password            = var.vcenter_password
  insecure_connection = var.insecure_connection
  datacenter          = var.datacenter
  cluster             = var.cluster
  host                = var.host
  datastore           = var.datastore
  folder              = var.folder

  vm_name       = var.vm_name
  guest_os_type = var.guest_os_type
  notes         = "Linux master target on CentOS 6.6, sealed by mt-agent. Attach a retention disk to each clone."
  # The installer of release 6 on this hardware is proven with a BIOS and a boot loader in the MBR.
  firmware = "bios"
  CPUs     = 4
  RAM      = 6144

  # A paravirtual controller is not supported on a master target.
  disk_controller_type = ["lsilogic-sas"]
  # The system's disk and no other: a retention disk is attached to each clone.
  storage {
    disk_size             = 102400
    disk_thin_provisioned = true
  }
  network_adapters {
    network      = var.network
    network_card = "vmxnet3"
  }
  # Without it the disks have no SCSI IDs. Clones inherit it.
  configuration_parameters = {
    "disk.EnableUUID" = "TRUE"
  }

  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
  cd_files     = var.tools_packages
  cd_label     = "tools"
  remove_cdrom = true

  # A floppy needs no network in the installer, so one kickstart does for static addresses too. `ks=floppy` would not
  # find it: release 6's loader looks for removable disks of 32 MB and more.
  floppy_content = {
    "ks.cfg" = "${file(abspath(var.kickstart))}${length(var.tools_packages) > 0 ? local.install_tools : ""}"
  }
  boot_wait    = "10s"
  boot_command = ["<tab> text ks=hd:fd0:/ks.cfg<enter>"]
  # The address is reported by VMware Tools, after the installation.
  ip_wait_timeout   = "1h"
  ip_settle_timeout = "30s"

  ssh_username = "root"
  ssh_password = var.ssh_password
  ssh_timeout  = "15m"
  # OpenSSH 5.3 has none of Go's newer algorithms; these two it has in common with every version of Go's library.
  ssh_key_exchange_algorithms = ["diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"]
  # A minimal installation has sftp-server, which comes with sshd, but no scp.
  ssh_file_transfer_method = "sftp"

  # An orderly end would write the random seed and shell histories again; later than the command, so that ssh can return.
  shutdown_command    = "nohup sh -c 'sleep 2; sync; /sbin/poweroff -f' >/dev/null 2>&1 &"
  shutdown_timeout    = "15m"
  convert_to_template = true
}

build {
  sources = ["source.vsphere-iso.master-target"]

  provisioner "shell" {
    inline = ["install -d -m 0700 ${local.upload}"]
  }

  provisioner "file" {
    sources = compact([
      var.agent_rpm,
      "${dirname(var.agent_rpm)}/SHA256SUMS",
      var.profile,
      var.unified_agent_archive,
      var.collection,
    ])
    destination = "${local.upload}/"
  }

  provisioner "shell" {
    inline = compact([
      "cd ${local.upload}",
      "grep -x '[0-9a-f]\\{64\\}  ${basename(var.agent_rpm)}' SHA256SUMS >agent.sum",
      "sha256sum -c agent.sum",
      "rpm -U ${basename(var.agent_rpm)}",
      "install -o root -g root -m 0644 ${basename(var.profile)} /etc/mt-agent/profile.yaml",
      "mt-agent profile check /etc/mt-agent/profile.yaml",
      var.unified_agent_archive == "" ? "" : "install -o root -g root -m 0600 ${basename(var.unified_agent_archive)} /root/",
    ])
  }

  provisioner "shell" {
    inline = [join(" ", compact([
      "mt-agent apply --stage image --yes",
      var.collection == "" ? "" : "--offline ${local.upload}/${basename(var.collection)}",
    ]))]
    # 3: all is done but a restart, which follows.
    valid_exit_codes = [0, 3]
  }

  # It never returns by itself: a connection that outlives the command would let the next provisioner start on the
  # system that goes down.
  provisioner "shell" {
    inline = [
      "trap '' HUP TERM",
      "/sbin/shutdown -r now",
      "sleep 600",
    ]
    expect_disconnect   = true
    start_retry_timeout = "15m"
  }

  # sshd is up before the service that resumes the apply has started, and long before it is done.
  provisioner "shell" {
    pause_before        = "30s"
    start_retry_timeout = "15m"
    inline = [
      "tries=180",
      "while service mt-agent-resume status && [ $tries -gt 0 ]; do",
      "    tries=$((tries - 1))",
      "    sleep 10",
      "done",
      "mt-agent check --stage image",
    ]
  }

  # The build's password goes: usermod replaces its hash; seal overwrites and removes the copies (/etc/shadow-, the
  # installer's records). Each change of an account since the installation left an old /etc/shadow in free space, so that
  # is filled. seal deletes the host keys of ssh and comes last.
  provisioner "shell" {
    inline = [
      "rm -rf ${local.upload}",
      "usermod -p '${var.root_password_hash}' root",
      "mt-agent seal --yes --wipe-free-space",
    ]
  }
}
