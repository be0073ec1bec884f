//! What an operator is told when asked for: how to stream, how to invite, how to sign in. Holds secrets, so it is printed only then.

use std::fmt::Write;

use qrcode::{QrCode, render::unicode};

use crate::control::Welcome;

/// The text for a terminal.
pub fn text(welcome: &Welcome) -> String {
    let Welcome {
        dashboard_link,
        obs_server,
        stream_key,
        room_name,
        invite_link,
    } = welcome;
    let mut text = format!(
        "\n  StreamCircle\n\n  \
         Dashboard (this link signs in once, for 15 minutes)\n    {dashboard_link}\n\n  \
         OBS: Settings > Stream, service Custom\n    Server      {obs_server}\n    Stream key  {}\n\n  \
         Invite to {room_name}\n    {invite_link}\n\n",
        stream_key.expose(),
    );
    // A link too long for a QR code is still a link.
    if let Ok(code) = QrCode::new(invite_link) {
        // Terminals are dark as a rule, and cameras want dark on light.
        let picture = code
            .render::<unicode::Dense1x2>()
            .dark_color(unicode::Dense1x2::Light)
            .light_color(unicode::Dense1x2::Dark)
            .build();
        for line in picture.lines() {
            writeln!(text, "    {line}").expect("writing to a String");
        }
    }
    text
}
