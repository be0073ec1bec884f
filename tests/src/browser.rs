//! Debian's Chromium, headless, driven over WebDriver.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, free_tcp, wait_for};

/// One browser process with a fresh profile.
#[derive(Debug)]
pub struct Browser {
    pub client: Client,
    driver: Process,
    profile: TempDir,
}

impl Browser {
    pub async fn start() -> Result<Self> {
        let address = free_tcp()?;
        let profile = tempfile::tempdir()?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", address.port()));
        let driver = Process::start("chromedriver", &mut command, profile.path())?;
        let url = format!("http://{address}");
        wait_for("chromedriver", Duration::from_secs(20), async || {
            reqwest::get(format!("{url}/status")).await.ok().map(|_| ())
        })
        .await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(profile.path()))
            .connect(&url)
            .await
            .context("chromium does not start")?;
        client.set_window_size(1280, 800).await?;
        Ok(Self {
            client,
            driver,
            profile,
        })
    }

    /// Runs JavaScript; its `return` value comes back.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Saves what the page looks like.
    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        std::fs::write(file, self.client.screenshot().await?)?;
        Ok(())
    }

    pub async fn close(self) -> Result<()> {
        self.client.clone().close().await?;
        Ok(())
    }
}

impl Drop for Browser {
    /// A browser outlives its driver, and would go on decoding after a scenario that failed.
    fn drop(&mut self) {
        // Already ended is fine.
        let _ = self.driver.kill();
        let profile = self.profile.path().as_os_str().as_encoded_bytes();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            if command.windows(profile.len()).any(|window| window == profile) {
                let _ = Command::new("kill").arg("-KILL").arg(process.file_name()).status();
            }
        }
    }
}

fn capabilities(profile: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--accept-lang=en-US",
        "--autoplay-policy=no-user-gesture-required",
        &format!("--user-data-dir={}", profile.join("profile").display()),
    ];
    let options = json!({ "binary": "/usr/bin/chromium", "args": arguments });
    Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)])
}
