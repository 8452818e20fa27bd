//! reqwest's clients of one channel: its connections, its trust, its way out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::ClientConfig;
use url::Url;

use crate::dial::{CheckedResolver, Reach};

/// DNS, TCP and TLS of one connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection that nobody used for so long is closed.
const IDLE: Duration = Duration::from_mins(1);

const IDLE_PER_HOST_MAX: usize = 64;

/// One client for each port that the channel talks to, made when it is first used.
///
/// reqwest asks its resolver by name alone, while an operator opens an address for a port. The clients share trust
/// and session tickets, and nothing of them is shared with another channel.
pub(crate) struct Clients {
    reach: Arc<Reach>,
    tls: ClientConfig,
    proxy: Option<Url>,
    made: Mutex<Vec<(u16, Client)>>,
}

impl Clients {
    pub(crate) fn new(reach: Arc<Reach>, tls: ClientConfig, proxy: Option<Url>) -> Self {
        Self { reach, tls, proxy, made: Mutex::default() }
    }

    pub(crate) const fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    pub(crate) fn get(&self, port: u16) -> reqwest::Result<Client> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = made.iter().find(|(known, _)| *known == port) {
            return Ok(client.clone());
        }
        let client = self.build(port)?;
        made.push((port, client.clone()));
        Ok(client)
    }

    fn build(&self, port: u16) -> reqwest::Result<Client> {
        let resolver = CheckedResolver {
            reach: self.reach.clone(),
            port,
            proxy_host: self.proxy.as_ref().and_then(Url::host_str).map(str::to_owned),
        };
        let builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(resolver))
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            // The environment's proxy is never asked (`reference/security.md` §0 finding 8).
            .no_proxy();
        match &self.proxy {
            Some(proxy) => builder.proxy(Proxy::all(proxy.as_str())?).build(),
            None => builder.build(),
        }
    }
}
