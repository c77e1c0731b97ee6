# Copy it, fill it in, and build with -var-file. The three secrets are better kept out of files:
# PKR_VAR_vcenter_password, PKR_VAR_ssh_password and PKR_VAR_root_password_hash in the environment do as well.

vcenter_server   = "vcenter.example.com"
vcenter_username = "packer@vsphere.local"
vcenter_password = "replace-me"

datacenter = "Datacenter"
cluster    = "Cluster"
datastore  = "datastore1"
folder     = "Templates"
network    = "VM Network"

iso_url = "CentOS-6.6-x86_64-minimal.iso"
# Replace it by the line of sha256sum.txt.asc.
iso_checksum = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

kickstart = "ks.cfg"
tools_packages = [
  "tools/open-vm-tools-10.x86_64.rpm",
  "tools/libdnet-1.x86_64.rpm",
]

agent_rpm             = "../../dist/mt-agent-0.1.0-1.x86_64.rpm"
profile               = "profile.yaml"
unified_agent_archive = "latestlinuxmobsvc.tar.gz"

ssh_password       = "replace-me-too"
root_password_hash = "*"
