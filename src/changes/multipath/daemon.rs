//! The service of multipathd, and that it goes by its configuration file.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::changes::{Context, Done};
use crate::facts::multipath::{self, CONFIGURATION, SERVICE};
use crate::facts::{Fact, processes};
use crate::host::Host;
use crate::platform::services::{self, Verb};

/// How long a service may take to start, or to be told to read its configuration again.
pub(super) const DEADLINE: Duration = Duration::from_secs(120);

/// How long multipathd has to appear, to read its configuration and to make its maps.
const APPEARING: Duration = Duration::from_secs(30);

/// Has `verb` done to the service of multipathd.
pub(super) fn service(context: &mut Context<'_>, verb: Verb) -> Result<()> {
    let command = services::command(context.host, SERVICE, verb, DEADLINE)?;
    let output = context.run(&command)?;
    command.succeeded(&output)?;
    Ok(())
}

/// After a change of the configuration: has a running multipathd go by it.
pub(super) fn read_again(context: &mut Context<'_>, done: &Done) -> Result<()> {
    if let (Done::Changed(_), Ok(Some(_))) = (done, running(context.host)) {
        reload(context).with_context(|| {
            format!("{CONFIGURATION} is changed, but multipathd may go by the old one: restart multipathd")
        })?;
    }
    Ok(())
}

/// Has multipathd read its configuration again.
pub(super) fn reload(context: &mut Context<'_>) -> Result<()> {
    service(context, Verb::Reload)?;
    settle(context.host)
}

/// Waits until multipathd goes by its configuration: 0.4.9 begins to read it after the service has told it to. Whether it
/// does may stay unknown, which is judged afterwards.
pub(super) fn settle(host: &Host) -> Result<()> {
    let has_read = || Ok((unread(host) == Fact::Known(None)).then_some(()));
    if wait_for(has_read)?.is_none()
        && let Fact::Known(Some(what)) = unread(host)
    {
        bail!("multipathd was to read {CONFIGURATION} again and has not: {what}");
    }
    Ok(())
}

/// What multipathd has not read of its configuration.
pub(super) fn unread(host: &Host) -> Fact<Option<String>> {
    multipath::unread(host, &multipath::daemon(host, &processes::load(host)).0)
}

/// The process of multipathd, if it runs.
pub(super) fn running(host: &Host) -> Result<Option<u32>> {
    match multipath::daemon(host, &processes::load(host)).0 {
        Fact::Known(pid) => Ok(pid),
        Fact::Unknown(why) | Fact::NotApplicable(why) => bail!("whether multipathd runs: {why}"),
    }
}

/// Looks until there is something, for a while.
pub(super) fn wait_for<T>(mut look: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let until = Instant::now() + APPEARING;
    loop {
        let found = look()?;
        if found.is_some() || Instant::now() >= until {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(100));
    }
}
