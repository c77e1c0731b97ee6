# What a site has to say, and what it may. README.md has the same as a table.

# Where it is built.

variable "vcenter_server" {
  type        = string
  description = "Name or address of the vCenter server, without https://."
  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z.-]*$", var.vcenter_server))
    error_message = "The vcenter_server is a host name or an address, such as vcenter.example.com: no scheme, port or path."
  }
}

variable "vcenter_username" {
  type        = string
  description = "Account that creates the VM."
  sensitive   = true
  validation {
    condition     = can(regex("^[^[:space:]]+$", var.vcenter_username))
    error_message = "The vcenter_username is empty or has a space in it."
  }
}

variable "vcenter_password" {
  type        = string
  description = "Password of that account."
  sensitive   = true
  validation {
    condition     = var.vcenter_password != ""
    error_message = "The vcenter_password is empty."
  }
}

variable "insecure_connection" {
  type        = bool
  description = "Accept any certificate of the vCenter server: whoever stands between reads the password."
  default     = false
}

variable "datacenter" {
  type        = string
  description = "Datacenter in which the VM is built."
  validation {
    condition     = var.datacenter != ""
    error_message = "The datacenter is empty."
  }
}

variable "cluster" {
  type        = string
  description = "Cluster in which the VM is built; this or the host is needed."
  default     = ""
}

variable "host" {
  type        = string
  description = "ESXi host on which the VM is built; with a cluster, one of its hosts."
  default     = ""
}

variable "datastore" {
  type        = string
  description = "Datastore of the VM, of the ISO and of the kickstart's floppy while it is built."
  validation {
    condition     = var.datastore != ""
    error_message = "The datastore is empty."
  }
}

variable "folder" {
  type        = string
  description = "VM folder of the template; empty: the datacenter's root folder."
  default     = ""
}

variable "network" {
  type        = string
  description = "Network of the VM: Packer's machine has to reach port 22 there."
  validation {
    condition     = var.network != ""
    error_message = "The network is empty."
  }
}

variable "vm_name" {
  type        = string
  description = "Name of the template. vCenter must not have it yet."
  default     = "master-target-centos-6.6"
  validation {
    condition     = can(regex("^[0-9A-Za-z._-]{1,80}$", var.vm_name))
    error_message = "The vm_name has 1 to 80 letters, digits, dots, hyphens and underscores."
  }
}

variable "guest_os_type" {
  type        = string
  description = "Name that vSphere has for the guest: centos64Guest where ESXi is older than 6.5."
  default     = "centos6_64Guest"
  validation {
    condition     = contains(["centos6_64Guest", "centos64Guest"], var.guest_os_type)
    error_message = "The guest_os_type is centos6_64Guest or centos64Guest."
  }
}

# What it is installed from.

variable "iso_url" {
  type        = string
  description = "CentOS-6.6-x86_64-minimal.iso: a file on Packer's machine, or an address."
  validation {
    condition     = can(regex("[.]iso$", var.iso_url))
    error_message = "The iso_url does not end in .iso."
  }
}

variable "iso_checksum" {
  type        = string
  description = "Its SHA-256, from the release's signed sha256sum.txt.asc."
  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.iso_checksum))
    error_message = "The iso_checksum is sha256: and 64 hexadecimal digits."
  }
}

variable "kickstart" {
  type        = string
  description = "File with what `mt-agent kickstart` printed."
  validation {
    condition     = var.kickstart != ""
    error_message = "The kickstart is empty."
  }
}

variable "tools_packages" {
  type        = list(string)
  description = "The rpm files of open-vm-tools and of all that it needs; empty: the kickstart installs VMware Tools itself."
  default     = []
  validation {
    condition     = length([for file in var.tools_packages : file if !can(regex("[.]rpm$", file))]) == 0
    error_message = "The tools_packages are files whose names end in .rpm."
  }
}

# What is put on it.

variable "agent_rpm" {
  type        = string
  description = "The agent's package in dist/, beside SHA256SUMS."
  validation {
    condition     = can(regex("(^|/)mt-agent-[0-9.]+-[0-9]+[.]x86_64[.]rpm$", var.agent_rpm))
    error_message = "The agent_rpm is a file named mt-agent-VERSION-RELEASE.x86_64.rpm."
  }
}

variable "profile" {
  type        = string
  description = "The site's profile: it becomes /etc/mt-agent/profile.yaml, here and on each clone."
  validation {
    condition     = can(regex("(^|/)[0-9A-Za-z._-]+[.]ya?ml$", var.profile))
    error_message = "The profile is a file whose name has no spaces and ends in .yaml or .yml."
  }
}

variable "unified_agent_archive" {
  type        = string
  description = "The vendor's latestlinuxmobsvc.tar.gz, put into /root; empty: the profile says where else it is."
  default     = ""
  validation {
    condition     = can(regex("^$|(^|/)[0-9A-Za-z._-]+[.]tar[.]gz$", var.unified_agent_archive))
    error_message = "The unified_agent_archive is a file whose name has no spaces and ends in .tar.gz."
  }
}

variable "collection" {
  type        = string
  description = "Directory that `mt-agent apply --download-only` filled; empty: the packages come from the VM's own repositories."
  default     = ""
  validation {
    condition     = can(regex("^$|(^|/)[0-9A-Za-z_][0-9A-Za-z._-]*$", var.collection))
    error_message = "The collection is a directory whose name has no spaces, and no slash at the end."
  }
}

# Root's password: one while it is built, another one in the image.

variable "ssh_password" {
  type        = string
  description = "Root's password in the kickstart. Only the build uses it."
  sensitive   = true
  validation {
    condition     = var.ssh_password != ""
    error_message = "The ssh_password is empty."
  }
}

variable "root_password_hash" {
  type        = string
  description = "What the image has instead: a SHA-512 crypt hash (`openssl passwd -6`), or * for no password at all."
  sensitive   = true
  validation {
    condition     = can(regex("^([*]|[$]6[$](rounds=[0-9]+[$])?[./0-9A-Za-z]{1,16}[$][./0-9A-Za-z]{86})$", var.root_password_hash))
    error_message = "The root_password_hash is a SHA-512 crypt hash, which begins with $6$, or * alone."
  }
}
