//! Who asks, and whether it may: the viewer token of a request, checked where it is used.
//!
//! A signature that was checked is remembered for half a minute by the token's SHA-256; its end, its room, its relays and its
//! revocation are looked at in each request, so a revocation is in force with the next one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, header};
use common::{
    auth::{Revocations, VIEWER_TOKEN_LEEWAY, Verifier, ViewerClaims},
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, ViewerSeen},
};
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{error::Problem, rooms::Rooms};

/// How long a checked signature is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);
/// Most tokens that are remembered; more than viewers of one relay.
const MAX_REMEMBERED: u64 = 100_000;

/// A request's token: the first present place decides, even if another holds a better one.
///
/// `path_token` is the one of `/t/{token}/…`.
pub fn presented<'a>(
    room: &RoomSlug,
    headers: &'a HeaderMap,
    query: Option<&'a str>,
    path_token: Option<&'a str>,
) -> Option<&'a str> {
    bearer(headers)
        .or_else(|| query_token(query))
        .or(path_token)
        .or_else(|| cookie(headers, &cookie_name(room)))
}

/// Name of the cookie that carries the viewer token of a room.
pub fn cookie_name(room: &RoomSlug) -> String {
    format!("sc_{room}")
}

/// The value of `token=` in a query.
pub fn query_token(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Checks tokens with the keys and revocations that the upstream pushes.
pub struct Gate {
    rooms: Arc<dyn Rooms>,
    keys: watch::Receiver<Arc<str>>,
    revocations: watch::Receiver<Arc<Vec<Revocation>>>,
    verifier: Mutex<Option<KeyedVerifier>>,
    revoked: Mutex<(Arc<Vec<Revocation>>, Arc<Revocations>)>,
    /// Claims whose signature was checked, by the set of keys and the token's hash.
    checked: Cache<(u64, [u8; 32]), Arc<ViewerClaims>>,
}

#[derive(Clone)]
struct KeyedVerifier {
    /// The text that it was made from.
    keys: Arc<str>,
    /// Counts sets of keys, so that what was checked with an older set is not remembered.
    generation: u64,
    verifier: Arc<Verifier>,
}

impl Gate {
    pub fn new(rooms: Arc<dyn Rooms>) -> Self {
        Self {
            keys: rooms.keys(),
            revocations: rooms.revocations(),
            rooms,
            verifier: Mutex::default(),
            revoked: Mutex::default(),
            checked: Cache::builder()
                .max_capacity(MAX_REMEMBERED)
                .time_to_live(REMEMBERED_FOR)
                .build(),
        }
    }

    /// Lets the bearer of `token` into `room`, and tells the upstream that it was seen.
    ///
    /// # Errors
    /// The room is unknown, or the token does not let anyone into it here and now.
    pub async fn admit(&self, room: &RoomSlug, token: Option<&str>) -> Result<Arc<ViewerClaims>, Problem> {
        let admitted = self.check(room, token).await;
        if let Err(problem) = admitted {
            metrics::counter!("streamcircle_relay_refused_requests_total", "status" => problem.status().as_str().to_owned())
                .increment(1);
        }
        admitted
    }

    async fn check(&self, room: &RoomSlug, token: Option<&str>) -> Result<Arc<ViewerClaims>, Problem> {
        let relay_id = self.rooms.relay_id();
        if self.rooms.room(room).is_none() {
            // A relay that was never told of any room cannot say that there is none.
            return Err(if relay_id.is_some() {
                Problem::NoSuchRoom
            } else {
                Problem::NoOrigin
            });
        }
        let now = self.rooms.origin_now();
        let claims = self.claims(token.ok_or(Problem::NoToken)?, now).await?;
        if claims.room != *room {
            return Err(Problem::OtherRoom);
        }
        if !relay_id.is_some_and(|id| claims.allows_relay(&id)) {
            return Err(Problem::OtherRelay);
        }
        if self.revoked(now).is_revoked(&claims, now) {
            return Err(Problem::Revoked);
        }
        self.rooms.viewer_seen(
            room,
            ViewerSeen {
                viewer_id: claims.viewer_id.clone(),
                invite_id: claims.invite_id.clone(),
            },
        );
        Ok(claims)
    }

    async fn claims(&self, token: &str, now: UnixMillis) -> Result<Arc<ViewerClaims>, Problem> {
        let KeyedVerifier {
            generation, verifier, ..
        } = self.verifier()?;
        let key = (generation, Sha256::digest(token).into());
        if let Some(claims) = self.checked.get(&key).await {
            let ends = claims
                .expires_at
                .0
                .saturating_add(VIEWER_TOKEN_LEEWAY.as_millis() as i64);
            return if now.0 < ends {
                Ok(claims)
            } else {
                Err(Problem::BadToken)
            };
        }
        let claims = verifier.verify_viewer(token, now).map_err(|reason| {
            tracing::debug!(%reason, "viewer token refused");
            Problem::BadToken
        })?;
        let claims = Arc::new(claims);
        self.checked.insert(key, claims.clone()).await;
        Ok(claims)
    }

    /// For the keys as they stand.
    fn verifier(&self) -> Result<KeyedVerifier, Problem> {
        let keys = self.keys.borrow().clone();
        let mut current = self.verifier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = current.as_ref().filter(|current| Arc::ptr_eq(&current.keys, &keys)) {
            return Ok(current.clone());
        }
        if keys.is_empty() {
            return Err(Problem::NoOrigin);
        }
        let verifier = Verifier::from_jwk_set(&keys).map_err(|error| {
            tracing::error!(%error, "the origin's keys cannot be used");
            Problem::NoOrigin
        })?;
        let made = KeyedVerifier {
            keys,
            generation: current.as_ref().map_or(0, |before| before.generation + 1),
            verifier: Arc::new(verifier),
        };
        *current = Some(made.clone());
        Ok(made)
    }

    /// The revocations as they stand.
    fn revoked(&self, now: UnixMillis) -> Arc<Revocations> {
        let entries = self.revocations.borrow().clone();
        let mut current = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current.0, &entries) {
            let set = Revocations::new(entries.iter().cloned(), now);
            *current = (entries, Arc::new(set));
        }
        current.1.clone()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_first_place_with_a_token_decides() {
        let room: RoomSlug = "cinema".parse().unwrap();
        let all = headers(&[
            (header::AUTHORIZATION, "Bearer a"),
            (header::COOKIE, "x=1; sc_cinema=d; sc_other=e"),
        ]);
        let cookie = headers(&[(header::COOKIE, "x=1; sc_cinema=d; sc_other=e")]);
        let basic = headers(&[(header::AUTHORIZATION, "Basic Zm9v")]);
        let query = Some("_HLS_msn=1&token=b");
        assert_eq!(presented(&room, &all, query, Some("c")), Some("a"));
        assert_eq!(presented(&room, &cookie, query, Some("c")), Some("b"));
        assert_eq!(
            presented(&room, &cookie, Some("token="), None),
            Some(""),
            "an empty one is present"
        );
        assert_eq!(presented(&room, &cookie, None, Some("c")), Some("c"));
        assert_eq!(presented(&room, &cookie, None, None), Some("d"));
        assert_eq!(presented(&room, &basic, None, None), None);
    }
}
