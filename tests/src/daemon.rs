//! The two programs as a person starts them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use common::auth::join_token::JoinToken;
use tempfile::TempDir;

use crate::{
    api::{Admin, Room},
    link_path::LinkPath,
    process::{Process, free_tcp, free_udp, program, wait_for},
};

const START: Duration = Duration::from_secs(20);

/// An origin with its embedded relay, on ports and in a folder of its own.
#[derive(Debug)]
pub struct Origin {
    pub process: Process,
    pub admin: Admin,
    pub rtmp: SocketAddr,
    /// URL of the embedded relay.
    pub relay_url: String,
    /// UDP address of the link.
    pub link: SocketAddr,
    /// Arguments beyond the ones that keep it on loopback.
    arguments: Vec<String>,
    addresses: Addresses,
    folder: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    http: SocketAddr,
    rtmp: SocketAddr,
    link: SocketAddr,
    relay: SocketAddr,
}

impl Origin {
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// With more arguments than the ones that keep it on loopback.
    pub async fn start_with(arguments: &[&str]) -> Result<Self> {
        let addresses = Addresses {
            http: free_tcp()?,
            rtmp: free_tcp()?,
            link: free_udp()?,
            relay: free_tcp()?,
        };
        let folder = tempfile::tempdir()?;
        let process = spawn(addresses, folder.path(), arguments)?;
        let admin = admin(addresses, folder.path()).await.with_context(|| process.log())?;
        let (rtmp, relay_url) = (addresses.rtmp, format!("http://{}", addresses.relay));
        Ok(Self {
            process,
            admin,
            rtmp,
            relay_url,
            link: addresses.link,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            addresses,
            folder,
        })
    }

    /// Ends the process and starts it again on the same data and ports.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.terminate()?;
        self.process.wait(Duration::from_secs(12))?;
        self.start_again().await
    }

    /// Kills the process and starts it again.
    pub async fn crash(&mut self) -> Result<()> {
        self.process.kill()?;
        self.start_again().await
    }

    async fn start_again(&mut self) -> Result<()> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.process = spawn(self.addresses, self.folder.path(), &arguments)?;
        self.admin = admin(self.addresses, self.folder.path()).await?;
        Ok(())
    }

    /// The SQLite database, if it has no other.
    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("data/streamcircle.db")
    }

    /// Where OBS sends a room's stream: server and key in one.
    pub fn publish_url(&self, room: &Room) -> String {
        format!("rtmp://{}/live/{}", self.rtmp, room.key)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn spawn(addresses: Addresses, folder: &Path, arguments: &[&str]) -> Result<Process> {
    let mut command = Command::new(program("streamcircle-origin")?);
    command
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(["--http", &addresses.http.to_string()])
        .args(["--rtmp", &addresses.rtmp.to_string()])
        .args(["--link", &addresses.link.to_string()])
        .args(["--link-advertise", &addresses.link.to_string()])
        .args(["--relay-http", &addresses.relay.to_string()])
        .args(["--public-url", &format!("http://{}", addresses.relay)])
        .args(arguments);
    Process::start("origin", &mut command, folder)
}

async fn admin(addresses: Addresses, folder: &Path) -> Result<Admin> {
    let base = format!("http://{}", addresses.http);
    let token_file = folder.join("data/admin-token");
    wait_for("the origin's API and its relay", START, async || {
        let token = std::fs::read_to_string(&token_file).ok()?;
        let relay = format!("http://{}/api/rooms", addresses.relay);
        reqwest::get(relay).await.ok()?.error_for_status().ok()?;
        Some(Admin::new(base.clone(), token.trim().to_owned()))
    })
    .await
}

/// A separate relay process that joined an origin.
#[derive(Debug)]
pub struct Relay {
    pub process: Process,
    pub url: String,
    http: SocketAddr,
    name: String,
    folder: TempDir,
}

impl Relay {
    /// Asks the origin for a join token, as the dashboard does, and starts the relay with it.
    pub async fn join(origin: &Origin, name: &str) -> Result<Self> {
        let token = origin.admin.create_relay(name).await?;
        Self::start(name, &token).await
    }

    /// As [`Relay::join`], with a link that goes this way.
    pub async fn join_over(origin: &Origin, name: &str, path: &LinkPath) -> Result<Self> {
        let token = JoinToken::decode(&origin.admin.create_relay(name).await?)?;
        let there = vec![path.address.to_string()];
        let token = JoinToken::new(there, *token.key_sha256(), token.secret().clone())?;
        Self::start(name, &token.encode()).await
    }

    async fn start(name: &str, token: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let http = free_tcp()?;
        let process = spawn_relay(http, name, folder.path(), Some(token))?;
        let relay = Self {
            process,
            url: format!("http://{http}"),
            http,
            name: name.to_owned(),
            folder,
        };
        relay.ready().await.with_context(|| relay.process.log())?;
        Ok(relay)
    }

    /// Kills the process and starts it again with the identity it has.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process = spawn_relay(self.http, &self.name, self.folder.path(), None)?;
        self.ready().await
    }

    /// Waits until its link to the origin stands: it has answers from there.
    pub async fn ready(&self) -> Result<()> {
        let url = format!("{}/api/rooms", self.url);
        wait_for("the relay and its link", START, async || {
            reqwest::get(&url).await.ok()?.error_for_status().ok().map(|_| ())
        })
        .await
    }
}

fn spawn_relay(http: SocketAddr, name: &str, folder: &Path, join: Option<&str>) -> Result<Process> {
    let mut command = Command::new(program("streamcircle-relay")?);
    command
        .arg("--data-dir")
        .arg(folder.join("relay-data"))
        .args(["--http", &http.to_string()])
        .args(["--public-url", &format!("http://{http}")])
        .args(["--name", name]);
    if let Some(token) = join {
        command.env("STREAMCIRCLE_JOIN", token);
    }
    Process::start("relay", &mut command, folder)
}
