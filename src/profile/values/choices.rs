//! Values of which one is chosen.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Types with a variant for each word that a key takes.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(JsonSchema))]
        #[cfg_attr(test, schemars(inline))]
        pub enum $name {
            $($(#[$inner])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// As the profile says it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    )+};
}

choices! {
    /// An architecture that the vendor supports.
    Architecture {
        /// 64-bit Intel and AMD.
        X86_64 = "x86_64",
    }

    /// A file system type for a partition.
    PartitionType {
        Ext2 = "ext2",
        Ext3 = "ext3",
        Ext4 = "ext4",
        Xfs = "xfs",
        Btrfs = "btrfs",
        Vfat = "vfat",
    }

    /// A file system type for the retention volume.
    RetentionType {
        Ext4 = "ext4",
        Xfs = "xfs",
    }

    /// What happens to an unverified file.
    Unverified {
        /// It is not installed.
        Refuse = "refuse",
        /// It is installed all the same.
        InstallWithoutVerification = "install-without-verification",
    }

    /// Where the vendor script is run.
    ScriptStage {
        /// On each machine.
        Machine = "machine",
        /// Once, in the image.
        Image = "image",
    }

    /// Where the boot loader is put.
    BootLoaderPlace {
        /// Into the first sector of the disk.
        Mbr = "mbr",
        /// Into the first sector of the partition with the kernel.
        Partition = "partition",
    }

    /// How an interface gets its address.
    NetworkKind {
        /// It keeps the one that it is given.
        Static = "static",
        /// From a server.
        Dhcp = "dhcp",
    }

    /// What happens when the system is installed.
    Finish {
        /// The machine starts again.
        Reboot = "reboot",
        /// The machine is switched off.
        Poweroff = "poweroff",
    }
}

impl Unverified {
    /// Whether such a file is installed.
    pub fn is_accepted(self) -> bool {
        self == Self::InstallWithoutVerification
    }
}
