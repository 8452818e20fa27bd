//! A host that serves, and its operator's command line.

use std::path::PathBuf;

use sandbell_peers::Serving;

use crate::host::{Host, Run, program, text};

/// Killed at the end of the test.
pub(crate) struct Served {
    pub(crate) host: Host,
    serving: Serving,
}

impl Served {
    /// A host with these plugins, installed and approved with a network of this machine.
    pub(crate) fn start(plugins: &[PathBuf]) -> Self {
        let host = Host::new();
        for plugin in plugins {
            let name = plugin.file_stem().unwrap().to_str().unwrap();
            host.run(&["plugin", "install", text(plugin)]).expect(0);
            host.run(&["plugin", "approve", name, "--yes", "--network", "127.0.0.1"]).expect(0);
        }
        Self::of(host)
    }

    /// Serves what a host has.
    pub(crate) fn of(host: Host) -> Self {
        let serving = Serving::start(&program(), &host.state(), "").unwrap();
        Self { host, serving }
    }

    /// The command line, over the host's socket.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.host.run(arguments)
    }

    pub(crate) fn api(&self) -> String {
        format!("http://{}", self.serving.api)
    }

    /// What `/metrics` gives.
    pub(crate) fn metrics(&self) -> String {
        let (status, text) = self.serving.ops("/metrics").unwrap();
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Ends the host as systemd does, and gives what it had.
    pub(crate) fn stop(self) -> Host {
        let Self { host, serving } = self;
        let status = serving.stop().unwrap();
        assert!(status.success(), "{status}");
        host
    }
}
