//! What an operator is told when asked for: how to stream, how to invite, how to sign in, what an nginx-rtmp in front is told. Holds secrets, so it is
//! printed only then.

use std::{
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
};

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

/// The secret, and the directives for an nginx-rtmp in front: as in `infra/nginx-rtmp`. It lets nginx call from another machine too.
///
/// `has_tls`: the API listener speaks TLS, which nginx-rtmp's hooks do not; nginx itself can carry them.
pub fn hooks(listener: SocketAddr, has_tls: bool, secret: &str) -> String {
    let mut api = listener;
    if api.ip().is_unspecified() {
        api.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let carrier = SocketAddr::from((Ipv4Addr::LOCALHOST, api.port().wrapping_add(1)));
    let called = if has_tls { carrier } else { api };
    let mut text = format!(
        "hookSecret {secret}\non_publish http://{called}/hooks/rtmp/publish?rename=1&hookSecret={secret};\n\
         on_publish_done http://{called}/hooks/rtmp/done?mayReturn=1&hookSecret={secret};"
    );
    if has_tls {
        write!(
            text,
            "\nhttp {{ server {{ listen {carrier}; access_log off; location /hooks/ {{ proxy_pass https://{api}; }} }} }}"
        )
        .expect("writing to a String");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_as_in_the_configurations_that_are_shipped() {
        let printed = hooks(([0, 0, 0, 0], 4000).into(), false, "hush");
        assert_eq!(printed.lines().next(), Some("hookSecret hush"));
        for shipped in [
            include_str!("../../infra/nginx-rtmp/nginx.conf"),
            include_str!("../../infra/nginx-rtmp/nginx-exec.conf"),
        ] {
            let directives = shipped
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("on_publish"));
            let expected = directives.map(|line| line.replace(';', "&hookSecret=hush;"));
            assert!(printed.lines().skip(1).eq(expected), "{printed}");
        }
    }

    #[test]
    fn hooks_of_an_api_that_speaks_tls_go_through_nginx_itself_as_the_readme_says() {
        let printed = hooks(([0, 0, 0, 0], 4000).into(), true, "hush");
        let readme = include_str!("../../infra/nginx-rtmp/README.md");
        let carrier = readme.lines().find(|line| line.starts_with("server {")).unwrap();
        assert_eq!(printed.lines().last().unwrap(), format!("http {{ {carrier} }}"));
        let directives: Vec<_> = printed.lines().filter(|line| line.starts_with("on_publish")).collect();
        assert!(
            directives
                .iter()
                .all(|line| line.contains(" http://127.0.0.1:4001/hooks/")),
            "{printed}"
        );
    }
}
