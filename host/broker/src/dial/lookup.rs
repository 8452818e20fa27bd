//! Names to addresses, for our own dialling and for reqwest's.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::{AuthorizedTarget, Reach};

pub(crate) type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Asks for the addresses of a name; a test puts its own answers here.
pub(crate) type Lookup = Arc<dyn Fn(String) -> LookupFuture + Send + Sync>;

/// The system's resolver, with its hosts file and its search list.
pub(crate) fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// Gives reqwest checked addresses and no others.
///
/// It is asked by name only, so there is one for each port. It is never asked about an address that is written out;
/// that is checked when the URL is authorised, and the answer's peer is checked once more.
pub(crate) struct CheckedResolver {
    pub(crate) reach: Arc<Reach>,
    pub(crate) port: u16,
    /// The operator's own proxy may be at a private address.
    pub(crate) proxy_host: Option<String>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        let host = Host::Domain(name.as_str().to_owned());
        let target = AuthorizedTarget { host, port: self.port, reach: self.reach.clone() };
        Box::pin(async move {
            if is_proxy {
                let addresses = (target.reach.lookup)(name.as_str().to_owned()).await?;
                let addresses: Vec<_> =
                    addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
                return Ok(Box::new(addresses.into_iter()) as Addrs);
            }
            let addresses = target.resolve().await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
