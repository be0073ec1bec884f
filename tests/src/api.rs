//! The HTTP API as scripts use it (CONTRACT 3 and 4).

use anyhow::{Result, bail};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// The origin's API with the admin token.
#[derive(Clone, Debug)]
pub struct Admin {
    base: String,
    token: String,
    http: Client,
}

impl Admin {
    pub fn new(base: String, token: String) -> Self {
        Self {
            base,
            token,
            http: Client::new(),
        }
    }

    /// Where the API is.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .header("x-admin-token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{method} {path}: {status} {text}");
        }
        Ok(if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)?
        })
    }

    pub async fn create_room(&self, slug: &str) -> Result<Room> {
        let room = self
            .call(Method::POST, "/api/rooms", Some(json!({ "name": slug, "slug": slug })))
            .await?;
        Ok(Room {
            slug: slug.to_owned(),
            key: text(&room, "streamKey")?,
        })
    }

    pub async fn room(&self, slug: &str) -> Result<Value> {
        self.call(Method::GET, &format!("/api/rooms/{slug}"), None).await
    }

    pub async fn is_live(&self, slug: &str) -> bool {
        self.room(slug).await.is_ok_and(|room| room["isLive"] == true)
    }

    /// An invite made with these settings.
    pub async fn invite(&self, slug: &str, settings: Value) -> Result<Invite> {
        let invite = self
            .call(Method::POST, &format!("/api/rooms/{slug}/invites"), Some(settings))
            .await?;
        Ok(Invite {
            id: text(&invite, "id")?,
            token: text(&invite, "token")?,
            url: text(&invite, "url")?,
        })
    }

    pub async fn revoke(&self, invite: &Invite) -> Result<()> {
        self.call(Method::DELETE, &format!("/api/invites/{}", invite.id), None)
            .await?;
        Ok(())
    }

    /// Join token of a new relay.
    pub async fn create_relay(&self, name: &str) -> Result<String> {
        let relay = self
            .call(Method::POST, "/api/relays", Some(json!({ "name": name })))
            .await?;
        text(&relay, "joinToken")
    }
}

#[derive(Clone, Debug)]
pub struct Room {
    pub slug: String,
    pub key: String,
}

#[derive(Clone, Debug)]
pub struct Invite {
    pub id: String,
    pub token: String,
    pub url: String,
}

/// One viewer on one relay, without a browser.
#[derive(Clone, Debug)]
pub struct Viewer {
    http: Client,
    relay: String,
    room: String,
    pub token: String,
}

impl Viewer {
    /// Joins `room` at the relay with this URL.
    pub async fn join(relay: &str, room: &str, nickname: &str, invite: Option<&str>) -> Result<Self> {
        let answer = Self::try_join(relay, room, nickname, invite).await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status != StatusCode::OK {
            bail!("join: {status} {body}");
        }
        Ok(Self::with_token(relay, room, &text(&body, "token")?))
    }

    /// The answer to a join, whatever it is.
    pub async fn try_join(relay: &str, room: &str, nickname: &str, invite: Option<&str>) -> Result<Response> {
        let mut body = json!({ "nickname": nickname });
        if let Some(invite) = invite {
            body["invite"] = invite.into();
        }
        Ok(Client::new()
            .post(format!("{relay}/api/rooms/{room}/join"))
            .json(&body)
            .send()
            .await?)
    }

    pub fn with_token(relay: &str, room: &str, token: &str) -> Self {
        Self {
            http: Client::new(),
            relay: relay.to_owned(),
            room: room.to_owned(),
            token: token.to_owned(),
        }
    }

    /// `/live/{room}/{file}` with the token in the query.
    pub fn url(&self, file: &str) -> String {
        let separator = if file.contains('?') { '&' } else { '?' };
        format!(
            "{}/live/{}/{file}{separator}token={}",
            self.relay, self.room, self.token
        )
    }

    pub async fn get(&self, file: &str) -> Result<Response> {
        Ok(self.http.get(self.url(file)).send().await?)
    }

    pub async fn text(&self, file: &str) -> Result<String> {
        Ok(self.get(file).await?.error_for_status()?.text().await?)
    }
}

fn text(value: &Value, key: &str) -> Result<String> {
    match value[key].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("no {key} in the answer"),
    }
}
