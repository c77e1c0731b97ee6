# For each variable that is validated: values that its conditions have to accept, and values they have to refuse.

vcenter_server = {
  good = ["vcenter.example.com", "10.1.0.2", "vc-1"]
  bad  = ["", "https://vcenter.example.com", "vcenter.example.com:443", "vc enter", "-vc"]
}
vcenter_username = {
  good = ["administrator@vsphere.local", "EXAMPLE\\packer"]
  bad  = ["", "two words", "line\n"]
}
vcenter_password = {
  good = ["x", "with space and $ and 'quotes'"]
  bad  = [""]
}
datacenter = {
  good = ["Datacenter", "Data Center 1"]
  bad  = [""]
}
datastore = {
  good = ["datastore1"]
  bad  = [""]
}
network = {
  good = ["VM Network"]
  bad  = [""]
}
vm_name = {
  good = ["master-target-centos-6.6", "mt_1"]
  bad  = ["", "with space", "a/b", "12345678901234567890123456789012345678901234567890123456789012345678901234567890x"]
}
guest_os_type = {
  good = ["centos6_64Guest", "centos64Guest"]
  bad  = ["", "centos7_64Guest", "otherGuest", "centos6_64guest"]
}
iso_url = {
  good = ["CentOS-6.6-x86_64-minimal.iso", "https://mirror.example.com/6.6/isos/x86_64/CentOS-6.6-x86_64-minimal.iso"]
  bad  = ["", "CentOS-6.6-x86_64-minimal", "a.iso.part"]
}
iso_checksum = {
  good = ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
  bad  = ["", "none", "md5:0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "sha256:0123"]
}
kickstart = {
  good = ["ks.cfg", "/srv/site/ks.cfg"]
  bad  = [""]
}
tools_packages = {
  good = [[], ["open-vm-tools.rpm"], ["a/b.rpm", "c.rpm"]]
  bad  = [["open-vm-tools.tar.gz"], ["a.rpm", "tools/"], [""]]
}
agent_rpm = {
  good = ["mt-agent-0.1.0-1.x86_64.rpm", "../../dist/mt-agent-1.10.2-1.x86_64.rpm"]
  bad  = ["", "mt-agent_0.1.0_amd64.deb", "../../dist/", "mt-agent-*.rpm", "mt-agent-0.1.0-1.x86_64.rpm.sig", "not-mt-agent-0.1.0-1.x86_64.rpm"]
}
profile = {
  good = ["profile.yaml", "/srv/site.yml"]
  bad  = ["", "profile.json", "my profile.yaml", "a'b.yaml"]
}
unified_agent_archive = {
  good = ["", "latestlinuxmobsvc.tar.gz", "/srv/Microsoft-ASR_UA_9.10.0.0_RHEL6-64_GA.tar.gz"]
  bad  = ["agent.zip", "/srv/", "with space.tar.gz", "a;b.tar.gz"]
}
collection = {
  good = ["", "for-the-target", "/srv/for-the-target"]
  bad  = ["/srv/for-the-target/", "with space", "a;b", ".", ".."]
}
ssh_password = {
  good = ["x"]
  bad  = [""]
}
root_password_hash = {
  good = [
    "*",
    "$6$saltsalt$Dj6pRNGnUSdoGrBuzTVrNyKFCnYqzhqCaJhkP4Pbc0oVCPjNQyhR7yWIMDgVHPBtvBUCjLBfYsmQ3Tvx9pMVT/",
    "$6$rounds=5000$saltsalt$Dj6pRNGnUSdoGrBuzTVrNyKFCnYqzhqCaJhkP4Pbc0oVCPjNQyhR7yWIMDgVHPBtvBUCjLBfYsmQ3Tvx9pMVT/",
  ]
  bad = ["", "password", "**", "!", "$1$saltsalt$0123456789012345678901", "$6$saltsalt$tooshort", "*' root; reboot '"]
}
