//! Lines of fstab that name the retention volume for another mount point; an order that nothing comes of.

use super::taking_over::{kinds, our_line, with_new_disk};
use super::*;

const PERSISTENT: &str = "retention.persistent";

#[test]
fn a_mistyped_mount_point_is_named_by_its_line_and_no_second_one_is_added() {
    let (profile, mut facts) = with_new_disk();
    let line = our_line(&mut facts);
    // The comment above it names the other mount point: it is not ours any more.
    (line.ours, line.mount_point) = (false, "/mnt/retenton".into());
    let (number, device) = (line.line, line.device.clone());
    let found = told(&profile, &facts, PERSISTENT);
    begins(
        &found,
        &format!(
            "unmet: line {number}: {device} is the retention volume, and its mount point there is /mnt/retenton"
        ),
    );
    let fix = format!(
        "in line {number} of /etc/fstab put /mnt/retention in the place of /mnt/retenton, or remove that line: then mt-agent \
         apply writes it anew"
    );
    assert!(found.ends_with(&fix), "{found}");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(plan.changes.iter().all(|planned| planned.requirement == "multipath.running"), "{plan:?}");
    assert_eq!(plan.manual.iter().find(|manual| manual.id == PERSISTENT).unwrap().fix, fix);
}

#[test]
fn a_second_line_for_the_volume_is_not_silently_ready() {
    let (profile, mut facts) = with_new_disk();
    outcome(&profile, &facts, PERSISTENT).starts("met: ");
    let second = Entry { line: 30, mount_point: "/mnt/retenton".into(), ..our_line(&mut facts).clone() };
    let with = |spoiler: &dyn Fn(&mut Entry)| {
        let (mut facts, mut second) = (facts.clone(), second.clone());
        spoiler(&mut second);
        spoil(&mut facts.fstab).push(second);
        let changes = planned(&profile, &facts, &Request::default()).0;
        (told(&profile, &facts, PERSISTENT), kinds(&changes))
    };
    let (found, changes) = with(&|second| second.ours = false);
    let device = &second.device;
    begins(&found, &format!("unmet: line 30: {device} mounts the retention volume at /mnt/retenton as well"));
    assert!(found.ends_with("remove line 30 of /etc/fstab"), "{found}");
    assert_eq!(changes, [""; 0]);
    // By its UUID it is the same volume.
    let uuid = uuid_of(RETENTION_ID);
    let (found, _) = with(&|second| (second.ours, second.device) = (false, format!("UUID={uuid}")));
    assert!(found.starts_with(&format!("unmet: line 30: UUID={uuid} mounts")), "{found}");
    let (found, changes) = with(&|_| {});
    assert!(found.ends_with("mt-agent apply takes line 30 out"), "{found}");
    assert_eq!(changes, ["remove-fstab"]);
    // One for a person's use before it hides none that is mounted at boot.
    let found = {
        let mut facts = facts.clone();
        let mut manual = Entry { line: 29, mount_point: "/manual".into(), ..our_line(&mut facts).clone() };
        manual.options.push("noauto".into());
        spoil(&mut facts.fstab).push(manual);
        spoil(&mut facts.fstab).push(Entry { ours: false, ..second.clone() });
        told(&profile, &facts, PERSISTENT)
    };
    assert!(found.starts_with("unmet: line 30: "), "{found}");
    // By what is mounted, of which a directory is enough.
    for (device, is_it) in
        [("/mnt/retention", true), ("/mnt/retention/data", true), ("/mnt/retention2", false)]
    {
        let (found, changes) = with(&|second| {
            second.device = device.into();
            (second.ours, second.fs_type, second.options) = (false, "none".into(), vec!["bind".into()]);
        });
        assert_eq!(found.starts_with("unmet: line 30: "), is_it, "{found}");
        assert_eq!(changes, [""; 0]);
    }
    for harmless in
        [(&|second: &mut Entry| second.options.push("noauto".into())) as &dyn Fn(&mut Entry), &|second| {
            second.device = "/dev/sda1".into();
        }]
    {
        assert!(with(harmless).0.starts_with("met: "));
    }
}

#[test]
fn an_order_to_grow_what_is_not_looked_at_is_told() {
    let (profile, facts) = ready();
    let grow = Request { grow: true, ..Request::default() };
    let notes = |selection: &Selection| plan(&profile, &facts, selection, TODAY, &grow).notes;
    let note = "--grow is not carried out: retention.capacity is not looked at";
    for (only, skip) in [(vec!["os".to_owned()], vec![]), (vec![], vec!["retention".to_owned()])] {
        let notes = notes(&Selection::new(only, skip).unwrap());
        assert!(notes.iter().any(|other| other == note), "{notes:?}");
    }
    let part = Selection::new(vec!["os".to_owned()], Vec::new()).unwrap();
    assert!(!plan(&profile, &facts, &part, TODAY, &grow).undetermined);
    // Of the recorded host the superblock is not read.
    let all = plan(&profile, &facts, &Selection::default(), TODAY, &grow);
    let note = "--grow is not carried out: the size of the ext4 file system cannot be determined";
    assert!(all.undetermined && all.notes.iter().any(|other| other == note), "{:?}", all.notes);
    assert!(!plan(&profile, &facts, &Selection::default(), TODAY, &Request::default()).undetermined);
}
