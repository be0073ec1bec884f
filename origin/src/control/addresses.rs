//! Where the outside finds this StreamCircle, and the links made of that.

use common::id::RoomSlug;

/// Public addresses. The URLs have no slash at their end.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// What viewers open.
    pub public_url: String,
    /// Dashboard and API.
    pub dashboard_url: String,
    /// What OBS is told as server: `rtmp://HOST:PORT/live`.
    pub ingest_url: String,
    /// The same over TLS, if it is served.
    pub secure_ingest_url: Option<String>,
}

impl Addresses {
    /// Takes the URLs as people write them, with or without a slash at the end.
    pub fn new(public_url: &str, dashboard_url: &str, ingest_url: &str) -> Self {
        let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
        Self {
            public_url: trimmed(public_url),
            dashboard_url: trimmed(dashboard_url),
            ingest_url: trimmed(ingest_url),
            secure_ingest_url: None,
        }
    }

    /// The same with the ingest over TLS.
    pub fn with_secure_ingest(self, secure_ingest_url: Option<String>) -> Self {
        Self {
            secure_ingest_url,
            ..self
        }
    }

    /// The room's page.
    pub fn watch_url(&self, room: &RoomSlug) -> String {
        format!("{}/r/{room}", self.public_url)
    }

    /// The room's page with an invite. It stands in the fragment, which browsers send to nobody.
    pub fn invite_url(&self, room: &RoomSlug, token: &str) -> String {
        format!("{}#invite={token}", self.watch_url(room))
    }

    /// The room's multivariant playlist.
    pub fn playlist_url(&self, room: &RoomSlug) -> String {
        format!("{}/live/{room}/index.m3u8", self.public_url)
    }

    /// The dashboard with a sign-in token, in the fragment too.
    pub(super) fn sign_in_link(&self, token: &str) -> String {
        format!("{}/#token={token}", self.dashboard_url)
    }
}
