//! What is baked into the image that machines are cloned from, and what is left to each machine.

use serde::Serialize;

use crate::profile::{Profile, ScriptStage};

pub use crate::state::request::Stage;

/// Where a requirement belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Belongs {
    /// To the image: a clone has it from there.
    Image,
    Machine,
    /// To both: the image can have it, and a machine can lose it.
    Both,
}

impl Belongs {
    /// Whether it is looked at in `stage`.
    pub fn is_of(self, stage: Stage) -> bool {
        match self {
            Self::Both => true,
            Self::Image => stage == Stage::Image,
            Self::Machine => stage == Stage::Machine,
        }
    }
}

/// Of what the vendor script brings about: one that is run in the image is proved there and on the clone. The restart after it is the
/// clone's first boot, and the root disk is never the image's.
pub(super) fn with_the_script(profile: &Profile) -> Belongs {
    if profile.custom_changes.stage == ScriptStage::Image { Belongs::Both } else { Belongs::Machine }
}

#[cfg(test)]
mod tests {
    use super::super::{all, find, testing};
    use super::*;

    #[test]
    fn every_requirement_is_of_some_stage_and_disks_are_never_the_image_s() {
        let (mut profile, _) = testing::ready();
        for requirement in all() {
            let belongs = (requirement.belongs)(&profile);
            assert!(belongs.is_of(Stage::Image) || belongs.is_of(Stage::Machine), "{}", requirement.id);
            if requirement.id.starts_with("retention.") || requirement.id == "scsi.ids" {
                assert_eq!(belongs, Belongs::Machine, "{}", requirement.id);
            }
        }
        let (script, restart) =
            (find("custom-changes.applied").unwrap(), find("custom-changes.restarted").unwrap());
        assert_eq!((script.belongs)(&profile), Belongs::Machine);
        profile.custom_changes.stage = ScriptStage::Image;
        assert_eq!(
            ((script.belongs)(&profile), (restart.belongs)(&profile)),
            (Belongs::Both, Belongs::Machine)
        );
    }
}
