//! The API's description: every call, gathered from the annotations at the handlers.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    emotes, export, hooks, invites, join, messages, moderation, public, relays, room_settings, rooms, session, slate,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "StreamCircle", description = "Rooms, invites and relays of one StreamCircle. Errors are problem+json (RFC 9457)."),
    paths(
        rooms::list, rooms::get, rooms::create, room_settings::change, rooms::delete, rooms::rotate, rooms::health,
        invites::create, invites::list, invites::revoke,
        join::join,
        messages::list, export::export,
        moderation::audit, moderation::bans, moderation::unban,
        emotes::list, emotes::add, emotes::remove, emotes::file,
        slate::put, slate::get, slate::remove,
        relays::create, relays::list, relays::delete,
        session::sign_in, session::get, session::sign_out,
        hooks::publish, hooks::done,
        public::jwks, public::time, public::openapi,
    ),
    modifiers(&Credentials)
)]
pub(super) struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let admin = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-admin-token")));
        let viewer = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .build(),
        );
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("admin", admin);
        components.add_security_scheme("viewer", viewer);
    }
}
