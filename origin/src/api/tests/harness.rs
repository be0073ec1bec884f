//! A whole API over a temporary folder, with a clock that the test moves and a live side that notes what it is told.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, body::Body};
use common::{
    auth::Role,
    chat::{
        record::{AuditEntry, Doer},
        room::{NotDone, Settings},
    },
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        chat::{ChatAct, EmoteRef},
        control::Revocation,
    },
};
use futures::future::{self, BoxFuture};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use node::http_server::Peer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{
    api::{Api, ChatStorage, LinkAddress, LivePlane, RoomLive},
    control::{Addresses, Control, ControlConfig},
    db::Room,
    ingest::admission::PublishEnd,
    relays::{RelayStatus, ViaRelay, ViewerPeer},
    room::{Fronted, Slate, StreamSettings},
    secrets::{KeyHash, SecretText, admin_token},
};

pub(super) const NOW: i64 = 1_795_341_600_000;
pub(super) const ADMIN_TOKEN: &str = "sa_operator_of_the_house";

/// The live side.
#[derive(Default)]
pub(super) struct Plane {
    pub(super) live: Mutex<RoomLive>,
    pub(super) relays: Mutex<Vec<RelayStatus>>,
    pub(super) viewers: Mutex<HashMap<String, HashSet<String>>>,
    pub(super) storage: Mutex<ChatStorage>,
    /// Why the running chats do nothing, if they do not.
    pub(super) not_done: Mutex<Option<NotDone>>,
    /// What happens when the next name is claimed.
    pub(super) at_claim: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Happens while a name that stands in for a key is made.
    pub(super) at_pass: Mutex<Option<BoxFuture<'static, ()>>>,
    /// What the running chat says, if there is one.
    pub(super) locked: Mutex<Option<bool>>,
    /// Another publishes.
    pub(super) is_taken: Mutex<bool>,
    /// Who has which name.
    names: Mutex<HashMap<String, String>>,
    /// What it was told, in order.
    pub(super) told: Mutex<Vec<String>>,
}

impl Plane {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }

    pub(super) fn take_told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

fn connection(of: &Fronted) -> String {
    of.client
        .map_or_else(String::new, |client| format!(" on connection {client}"))
}

impl LivePlane for Plane {
    fn room_live(&self, _: &RoomSlug) -> RoomLive {
        *self.live.lock().unwrap()
    }

    fn health(&self, room: &RoomSlug) -> Value {
        json!({"of": room.as_str()})
    }

    fn viewers_of_invite(&self, invite_id: &str) -> HashSet<String> {
        self.viewers.lock().unwrap().get(invite_id).cloned().unwrap_or_default()
    }

    fn relays(&self) -> Vec<RelayStatus> {
        self.relays.lock().unwrap().clone()
    }

    fn room_created(&self, room: &Room) {
        self.tell(format!("created {}", room.slug));
    }

    fn room_changed(&self, room: &Room) {
        self.tell(format!("changed {} locked={}", room.slug, room.locked));
    }

    fn stream_settings_changed(&self, room: &RoomSlug, StreamSettings { offer, slate }: StreamSettings) {
        let ladder: Vec<&str> = offer.ladder.iter().map(|rung| rung.as_str()).collect();
        let slate = match slate {
            Slate::Off => "off",
            Slate::Card => "card",
            Slate::Picture(_) => "picture",
        };
        self.tell(format!(
            "stream of {room}: {ladder:?} audio_only={} labels={} slate={slate}",
            offer.audio_only,
            offer.labels.len()
        ));
    }

    fn room_deleted(&self, room: &RoomSlug) {
        self.tell(format!("deleted {room}"));
    }

    fn cut_publisher(&self, room: &RoomSlug) {
        self.tell(format!("cut publisher of {room}"));
    }

    fn publisher_done(&self, room: &RoomSlug, of: &Fronted, how: PublishEnd) {
        self.tell(format!("publisher of {room}{} is done: {how:?}", connection(of)));
    }

    fn pass_done(&self, name: &str, how: PublishEnd) -> bool {
        self.tell(format!("{name} is done: {how:?}"));
        name == "on-air-1"
    }

    fn issue_pass(&self, room: &RoomSlug, _: KeyHash, of: Fronted) -> BoxFuture<'_, Option<String>> {
        let encoder = of
            .encoder
            .map_or_else(|| "nowhere".to_owned(), |address| address.to_string());
        let caller = of.caller;
        self.tell(format!("pass for {room} by {caller}, of {encoder}{}", connection(&of)));
        let is_taken = *self.is_taken.lock().unwrap();
        let happens = self.at_pass.lock().unwrap().take();
        Box::pin(async move {
            if let Some(happens) = happens {
                happens.await;
            }
            (!is_taken).then(|| "on-air-1".to_owned())
        })
    }

    fn revoke(&self, revocation: Revocation) {
        self.tell(format!("revoked {:?}", revocation.subject));
    }

    fn cut_relay(&self, relay_id: &str) {
        self.tell(format!("cut relay {relay_id}"));
    }

    fn is_locked(&self, _: &RoomSlug) -> Option<bool> {
        *self.locked.lock().unwrap()
    }

    fn claim_name(&self, _: &RoomSlug, viewer_id: &str, _: Role, wanted: &str) -> String {
        if let Some(happens) = self.at_claim.lock().unwrap().take() {
            happens();
        }
        let mut names = self.names.lock().unwrap();
        let is_free = |name: &str| names.get(name).is_none_or(|holder| holder == viewer_id);
        let numbered = (2..).map(|number| format!("{wanted} {number}"));
        let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = candidates.find(|name| is_free(name)).unwrap();
        names.insert(name.clone(), viewer_id.to_owned());
        name
    }

    fn chat_settings_changed(&self, room: &RoomSlug, settings: Settings) {
        self.tell(format!(
            "settings of {room}: {:?} {:?}",
            settings.links, settings.blocked_words
        ));
    }

    fn moderate(&self, room: &RoomSlug, by: Doer, act: ChatAct) -> BoxFuture<'_, Result<(), NotDone>> {
        self.tell(format!("{} in {room}: {act:?}", by.nickname));
        Box::pin(future::ready(self.not_done.lock().unwrap().map_or(Ok(()), Err)))
    }

    fn emotes_changed(&self, room: &RoomSlug, emotes: Vec<EmoteRef>) {
        let names: Vec<String> = emotes.into_iter().map(|emote| emote.name).collect();
        self.tell(format!("emotes of {room}: {}", names.join(" ")));
    }

    fn audit(&self, room: &RoomSlug, entry: AuditEntry) {
        let detail = entry.detail.unwrap_or_default();
        self.tell(format!(
            "audit of {room}: {} {} {detail}",
            entry.by.nickname,
            entry.action.as_str()
        ));
    }

    fn forget_messages(&self, room: &RoomSlug, before: UnixMillis) {
        self.tell(format!("forget messages of {room} before {}", before.to_rfc3339()));
    }

    fn chat_storage(&self) -> ChatStorage {
        *self.storage.lock().unwrap()
    }
}

pub(super) struct House {
    pub(super) control: Arc<Control>,
    pub(super) plane: Arc<Plane>,
    now: Arc<AtomicI64>,
    api: Api,
    _folder: TempDir,
}

impl House {
    /// An origin on its first start: there is the room `cinema`.
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = ControlConfig {
            data_dir: folder.path().to_owned(),
            database_url: None,
            admin_token: admin_token::Source::Given(SecretText::new(ADMIN_TOKEN.into())),
            addresses: Addresses::new(
                "http://watch.example",
                "http://house.example:4000",
                "rtmp://house.example:1935/live",
            ),
        };
        let control = Arc::new(Control::open(config, UnixMillis(NOW)).await.unwrap());
        let plane = Arc::new(Plane::default());
        let now = Arc::new(AtomicI64::new(NOW));
        let link = LinkAddress {
            addresses: vec!["house.example:4443".into()],
            key_sha256: [7; 32],
        };
        let hands = Arc::clone(&now);
        let clock = Arc::new(move || UnixMillis(hands.load(Ordering::Relaxed)));
        let api = Api::new(Arc::clone(&control), Arc::<Plane>::clone(&plane), link, clock).unwrap();
        Self {
            control,
            plane,
            now,
            api,
            _folder: folder,
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        UnixMillis(self.now.load(Ordering::Relaxed))
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// A call at the API listener, `"METHOD /path"`.
    pub(super) fn call(&self, line: &str) -> Call {
        Call::new(self.api.admin_router(), line)
    }

    /// A call that came through a relay.
    pub(super) fn relayed(&self, line: &str) -> Call {
        let mut call = Call::new(self.api.viewer_router(), line);
        let extensions = call.request.extensions_mut().unwrap();
        extensions.insert(ViewerPeer("203.0.113.9:5000".into()));
        extensions.insert(ViaRelay {
            id: "r1".into(),
            name: "paris".into(),
        });
        call
    }

    /// Makes an invite for `cinema` and gives its answer. That it was made is not among what the live side was told.
    pub(super) async fn invite(&self, order: Value) -> Value {
        let call = self.call("POST /api/rooms/cinema/invites").admin().json(order);
        let reply = call.expect(201).await;
        let told = self.plane.told.lock().unwrap().pop();
        assert!(told.is_some_and(|told| told.contains("inviteCreated")));
        reply.json
    }

    /// Token of an invite that asks for nothing in particular.
    pub(super) async fn invite_token(&self) -> String {
        text(&self.invite(json!({})).await["token"])
    }

    /// Joins `cinema` with an invite of `role` and gives the viewer token.
    pub(super) async fn viewer_token(&self, role: &str) -> String {
        let invite = text(&self.invite(json!({"role": role})).await["token"]);
        text(
            &self
                .join(json!({"nickname": "Ada", "invite": invite}))
                .expect(200)
                .await
                .json["token"],
        )
    }

    pub(super) fn join(&self, body: Value) -> Call {
        self.call("POST /api/rooms/cinema/join").json(body)
    }

    pub(super) async fn patch_room(&self, change: Value) {
        self.call("PATCH /api/rooms/cinema")
            .admin()
            .json(change)
            .expect(200)
            .await;
    }
}

pub(super) struct Call {
    app: Router,
    request: http::request::Builder,
    body: Body,
}

pub(super) struct Reply {
    pub(super) headers: HeaderMap,
    /// `Null` when the body is no JSON.
    pub(super) json: Value,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

impl Call {
    fn new(app: Router, line: &str) -> Self {
        let (method, path) = line.split_once(' ').unwrap();
        let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
        Self {
            app,
            request: Request::builder().method(method).uri(path).extension(Peer(peer)),
            body: Body::empty(),
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(super) fn from(mut self, peer: &str) -> Self {
        let peer: SocketAddr = peer.parse().unwrap();
        self.request = self.request.extension(Peer(peer));
        self
    }

    pub(super) fn admin(self) -> Self {
        self.header("x-admin-token", ADMIN_TOKEN)
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", &format!("{name}={value}"))
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers write json!() in place")]
    pub(super) fn json(self, body: Value) -> Self {
        self.raw("application/json", &body.to_string())
    }

    pub(super) fn raw(self, content_type: &str, body: &str) -> Self {
        let mut call = self.header("content-type", content_type);
        call.body = Body::from(body.to_owned());
        call
    }

    pub(super) fn bytes(mut self, body: Vec<u8>) -> Self {
        self.body = Body::from(body);
        self
    }

    pub(super) async fn send(self) -> (StatusCode, Reply) {
        let request = self.request.body(self.body).unwrap();
        let (parts, body) = self.app.oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let reply = Reply {
            headers: parts.headers,
            json,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        };
        (parts.status, reply)
    }

    /// Sends the call; an error has to be a problem of this status.
    pub(super) async fn expect(self, status: u16) -> Reply {
        let (got, reply) = self.send().await;
        assert_eq!(got.as_u16(), status, "{}", reply.text);
        if status >= 400 {
            assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(reply.json["status"], status);
            assert!(reply.json["type"].is_string() && reply.json["title"].is_string());
            assert!(reply.json["detail"].is_string());
        }
        reply
    }
}

impl Reply {
    /// The value of a cookie that the answer sets, and the whole header.
    pub(super) fn set_cookie(&self) -> (String, String) {
        let header = self.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        let (_, rest) = header.split_once('=').unwrap();
        (rest.split(';').next().unwrap().to_owned(), header)
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(super) fn relay_status(id: &str, url: &str, online: bool) -> RelayStatus {
    RelayStatus {
        id: id.into(),
        online,
        rooms: 2,
        viewers: 5,
        egress_bytes: 1234,
        rtt_ms: Some(12.5),
        last_seen: Some(UnixMillis(NOW)),
        version: "relay/0.1".into(),
        url: url.into(),
    }
}
