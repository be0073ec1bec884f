use super::*;

fn room(name: &str) -> RoomSlug {
    name.parse().unwrap()
}

fn hello(version: u16) -> Input<'static> {
    Input::Frame(DownstreamFrame::Hello {
        version,
        name: "relay".to_owned(),
        public_url: "http://relay.test".to_owned(),
        software: "test".to_owned(),
    })
}

fn subscribe(name: &str) -> Input<'static> {
    Input::Frame(DownstreamFrame::Subscribe {
        room: room(name),
        resume: None,
    })
}

fn outputs(inputs: Vec<Input<'_>>) -> Vec<Output> {
    let mut publisher = Publisher::new();
    for input in inputs {
        publisher.handle(Monotonic::default(), input);
    }
    std::iter::from_fn(|| publisher.poll()).collect()
}

#[test]
fn a_relay_introduces_itself_first_and_once() {
    let closed = |inputs| match outputs(inputs).pop() {
        Some(Output::Close { code, .. }) => Some(code),
        _ => None,
    };
    assert_eq!(closed(vec![subscribe("cinema")]), Some(code::PROTOCOL));
    assert_eq!(closed(vec![hello(LINK_VERSION + 1)]), Some(code::VERSION));
    assert_eq!(
        closed(vec![hello(LINK_VERSION), hello(LINK_VERSION)]),
        Some(code::PROTOCOL)
    );
    assert_eq!(closed(vec![hello(LINK_VERSION), subscribe("cinema")]), None);
}

#[test]
fn nothing_follows_a_close() {
    let outputs = outputs(vec![subscribe("cinema"), hello(LINK_VERSION), subscribe("cinema")]);
    assert!(matches!(outputs[..], [Output::Close { .. }]));
}

#[test]
fn a_relay_may_not_follow_rooms_without_end() {
    let mut inputs = vec![hello(LINK_VERSION)];
    inputs.extend((0..=MAX_ROOMS).map(|number| subscribe(&format!("room-{number}"))));
    assert!(matches!(
        outputs(inputs).pop(),
        Some(Output::Close { code: code::LIMIT, .. })
    ));
}

#[test]
fn a_room_without_media_is_offline_until_it_has_some() {
    let room = room("cinema");
    let show = || Input::Room {
        room: &room,
        view: RoomView::default(),
    };
    let outputs = outputs(vec![hello(LINK_VERSION), subscribe("cinema"), show(), show()]);
    let offline = |output: &Output| matches!(output, Output::Frame(UpstreamFrame::Offline { .. }));
    assert_eq!(outputs.iter().filter(|output| offline(output)).count(), 1);
}
