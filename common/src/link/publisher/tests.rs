use std::sync::Arc;

use super::*;
use crate::{
    id::Rung,
    live::{retention::Retention, testing::description},
};

fn channel(name: &str) -> ChannelId {
    ChannelId::source(name.parse().unwrap())
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
        channel: channel(name),
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
    inputs.extend((0..=MAX_CHANNELS).map(|number| subscribe(&format!("channel-{number}"))));
    assert!(matches!(
        outputs(inputs).pop(),
        Some(Output::Close { code: code::LIMIT, .. })
    ));
}

#[test]
fn a_room_without_media_is_offline_until_it_has_some() {
    let channel = channel("cinema");
    let show = || Input::Channel {
        channel: &channel,
        view: ChannelView::default(),
    };
    let outputs = outputs(vec![hello(LINK_VERSION), subscribe("cinema"), show(), show()]);
    let offline = |output: &Output| matches!(output, Output::Frame(UpstreamFrame::Offline { .. }));
    assert_eq!(outputs.iter().filter(|output| offline(output)).count(), 1);
}

/// Names of the frames for a rung that is shown so, one after the other.
fn frames_of_a_rung(views: &[ChannelView<'_>]) -> Vec<&'static str> {
    let rung = ChannelId {
        rung: Some(Rung::P480),
        ..channel("cinema")
    };
    let subscribe = Input::Frame(DownstreamFrame::Subscribe {
        channel: rung.clone(),
        resume: None,
    });
    let mut inputs = vec![hello(LINK_VERSION), subscribe];
    inputs.extend(views.iter().map(|&view| Input::Channel { channel: &rung, view }));
    let name = |output| match output {
        Output::Frame(UpstreamFrame::Offline { .. }) => Some("offline"),
        Output::Frame(UpstreamFrame::Starting { .. }) => Some("starting"),
        Output::Frame(UpstreamFrame::Window { .. }) => Some("window"),
        Output::Frame(UpstreamFrame::End { .. }) => Some("end"),
        _ => None,
    };
    outputs(inputs).into_iter().filter_map(name).collect()
}

#[test]
fn a_rung_that_is_being_made_is_starting_until_it_has_a_window_that_goes_on() {
    let mut description = Arc::unwrap_or_clone(description());
    let mut window = |epoch| {
        description.epoch = Epoch(epoch);
        LiveWindow::new(Arc::new(description.clone()), Retention::origin())
    };
    let (mut old, new) = (window(1), window(2));
    let nothing = ChannelView::default();
    let made = |window| ChannelView {
        is_made: true,
        current: window,
        followed: window,
    };
    let before = old.clone();
    old.abandon(Monotonic::default());
    assert_eq!(
        frames_of_a_rung(&[nothing, made(None), made(None), made(Some(&new)), nothing]),
        ["offline", "starting", "window", "offline"]
    );
    assert_eq!(
        frames_of_a_rung(&[made(Some(&old)), made(Some(&old)), made(Some(&new))]),
        ["starting", "window"],
        "what ended before is not told"
    );
    assert_eq!(
        frames_of_a_rung(&[made(Some(&before)), made(Some(&old)), made(Some(&new))]),
        ["window", "end", "window"]
    );
}
