# shellcheck shell=bash
# A template that carries what no clone may have, each with a word to look for in the image's bytes; and what a clone is
# told by whoever customises it.

host_key=LAB-HOST-KEY-4f1c9d
passphrase=lab-passphrase-83bd
yum_uuid=0b9f3a52-lab-yum
dbus_id=6f0e4c7d1b2a49a8lab
seed_bytes=LAB-RANDOM-SEED-77
history_word=lab-history-5512
other_word=LAB-OTHER-LEFTOVER-6a

# As sshd's service makes it where there is none.
make_host_key() {
    mkdir -p /etc/ssh
    printf -- '-----BEGIN RSA PRIVATE KEY-----\n%s\n' $host_key >/etc/ssh/ssh_host_rsa_key
    printf 'ssh-rsa AAAAB3NzaC1yc2E%s root@mt-lab\n' $host_key >/etc/ssh/ssh_host_rsa_key.pub
}

leave_traces() {
    local address
    address=$(cat /sys/class/net/eth0/address)
    mkdir -p /etc/udev/rules.d /var/lib/{dhclient,yum,dbus} /etc/multipath
    make_host_key
    printf 'SUBSYSTEM=="net", ATTR{address}=="%s", NAME="eth0"\n' "$address" \
        >/etc/udev/rules.d/70-persistent-net.rules
    printf 'HWADDR=%s\nUUID=%s\n' "$address" 5c0de000-0000-4000-8000-00000000000e \
        >>/etc/sysconfig/network-scripts/ifcfg-eth0
    echo $passphrase | tee /root/passphrase.txt >/home/passphrase.txt
    echo $yum_uuid >/var/lib/yum/uuid
    echo $dbus_id >/var/lib/dbus/machine-id
    echo $seed_bytes >/var/lib/random-seed
    echo $history_word >/root/.bash_history
    echo "lease { interface \"eth0\"; }" >/var/lib/dhclient/dhclient-eth0.leases
    id_of /dev/sda >/etc/multipath/wwids
    mkdir -p /root/.ssh /var/spool/at /var/crash/old /etc/pki/consumer
    printf -- '-----BEGIN RSA PRIVATE KEY-----\n%s\n' $other_word >/root/.ssh/id_rsa
    for path in /etc/krb5.keytab /etc/shadow- /root/anaconda-ks.cfg /root/.viminfo /etc/pki/consumer/key.pem \
        /var/spool/at/a0000101 /var/crash/old/vmcore /var/log/messages /var/log/messages-20260101; do
        echo $other_word >"$path"
    done
}

# What vSphere's guest customization and a site's configuration management do: a name, and which disk is the retention disk.
customise() {
    sed -i "s/^HOSTNAME=.*/HOSTNAME=$1/" /etc/sysconfig/network
    echo "10.0.2.15   $1 ${1%%.*}" >>/etc/hosts
    [ -z "${2-}" ] || printf 'retention: {disk: %s}\n' "$2" >>/etc/mt-agent/profile.yaml
}
