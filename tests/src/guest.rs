//! A browser without a window: cookies of its own, and an address of its own on loopback, so that what goes by address tells
//! guests apart.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// Behind 127.0.0.1, which everything else in a test uses.
const FIRST_ADDRESS: u32 = 0x7f00_0100;
static NEXT_ADDRESS: AtomicU32 = AtomicU32::new(FIRST_ADDRESS);

#[derive(Clone, Debug)]
pub struct Guest {
    pub address: Ipv4Addr,
    http: Client,
}

/// What a join gives.
#[derive(Clone, Debug)]
pub struct Pass {
    pub token: String,
    pub viewer_id: String,
    pub nickname: String,
}

impl Guest {
    /// At an address that no other guest of this process has.
    pub fn new() -> Result<Self> {
        Self::at(Ipv4Addr::from_bits(NEXT_ADDRESS.fetch_add(1, Ordering::Relaxed)))
    }

    /// Another browser behind this address.
    pub fn at(address: Ipv4Addr) -> Result<Self> {
        let http = Client::builder()
            .local_address(IpAddr::V4(address))
            .cookie_store(true)
            .build()?;
        Ok(Self { address, http })
    }

    /// Joins `room` at the relay with this URL; without an invite by what the cookie says.
    pub async fn join(&self, relay: &str, room: &str, nickname: &str, invite: Option<&str>) -> Result<Pass> {
        let answer = self.try_join(relay, room, nickname, invite).await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status != StatusCode::OK {
            bail!("join of {nickname}: {status} {body}");
        }
        let text = |key: &str| Ok::<_, anyhow::Error>(body[key].as_str().context(key.to_owned())?.to_owned());
        Ok(Pass {
            token: text("token")?,
            viewer_id: text("viewerId")?,
            nickname: text("nickname")?,
        })
    }

    /// The answer to a join, whatever it is.
    pub async fn try_join(&self, relay: &str, room: &str, nickname: &str, invite: Option<&str>) -> Result<Response> {
        let mut body = json!({ "nickname": nickname });
        if let Some(invite) = invite {
            body["invite"] = invite.into();
        }
        Ok(self
            .http
            .post(format!("{relay}/api/rooms/{room}/join"))
            .json(&body)
            .send()
            .await?)
    }

    /// A call with this viewer token.
    pub async fn call(
        &self,
        method: Method,
        url: &str,
        pass: &Pass,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Response> {
        let mut request = self.http.request(method, url).bearer_auth(&pass.token);
        if let Some((content_type, bytes)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        Ok(request.send().await?)
    }
}
