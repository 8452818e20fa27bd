//! New settings: all of them are checked before one of them is taken, and otherwise the old ones stay.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{ServeError, tls};
use crate::config::{LoadError, Settings};
use crate::node::Node;
use crate::telemetry::{self, Filter};

pub(super) struct Reload {
    pub(super) load: Box<dyn Fn() -> Result<Settings, LoadError> + Send + Sync>,
    pub(super) filter: Filter,
}

impl Reload {
    /// Follows what can be followed, and says what needs a restart.
    pub(super) fn follow(
        &self,
        node: &Node,
        settings: &mut watch::Sender<Arc<Settings>>,
        certificate: &watch::Sender<tls::Current>,
    ) {
        let now = node.clock.now();
        let (new, new_certificate) = match self.read() {
            Ok(read) => read,
            Err(error) => {
                error!("the new configuration is not taken, the old one stays: {error}");
                node.metrics.reloaded(false, now);
                return;
            }
        };
        for what in node.settings().needs_restart(&new) {
            warn!("{what} has changed and takes effect with a restart");
        }
        // It was checked with the rest.
        let _ = self.filter.set(&new.log.filter);
        certificate.send_replace(new_certificate);
        settings.send_replace(Arc::new(new));
        node.roster.forget_all();
        node.runner.forget_all();
        node.metrics.reloaded(true, now);
        info!("the new configuration is taken");
    }

    fn read(&self) -> Result<(Settings, tls::Current), ServeError> {
        let settings = (self.load)()?;
        telemetry::check_filter(&settings.log.filter)?;
        let certificate = tls::read(&settings.listen)?;
        Ok((settings, certificate))
    }
}
