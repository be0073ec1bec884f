//! Chat over the link: carried up, carried down, and what happens to a relay that does it wrong.

use common::{
    auth::Role,
    chat::room::Settings,
    wire::{
        chat::{ChatAct, ChatDown, ChatEvent, ChatMessage, ChatUp, SocketEvent},
        control::{DownstreamFrame, UpstreamFrame},
    },
};
use node::link_driver::{CloseCode, LinkConnection};

use super::harness::{Origin, cinema, closed, greet, read};
use crate::chat::tests::token;

async fn carry(link: &LinkConnection, items: Vec<ChatUp>) {
    link.write_frame(&DownstreamFrame::Chat { items }).await.unwrap();
}

fn coming(viewer_id: &str, after: Option<i64>) -> Vec<ChatUp> {
    let enter = ChatUp::Enter {
        room: cinema(),
        socket: 1,
        token: token(viewer_id, Role::Viewer),
        address: "192.0.2.1".to_owned(),
    };
    vec![ChatUp::Follow { room: cinema(), after }, enter]
}

fn saying(text: &str, client_id: &str) -> ChatUp {
    ChatUp::Act {
        room: cinema(),
        socket: 1,
        act: ChatAct::Say {
            text: text.to_owned(),
            client_id: client_id.to_owned(),
            media_time: None,
            reply_to: None,
        },
    }
}

/// The relay's end of the link, read item by item.
struct Ear<'a> {
    link: &'a LinkConnection,
    told: Vec<ChatDown>,
}

impl<'a> Ear<'a> {
    fn new(link: &'a LinkConnection) -> Self {
        Self { link, told: Vec::new() }
    }

    async fn find<T>(&mut self, pick: impl Fn(&ChatDown) -> Option<T>) -> T {
        loop {
            while self.told.is_empty() {
                if let UpstreamFrame::Chat { items, .. } = read(self.link).await {
                    self.told = items;
                }
            }
            if let Some(found) = pick(&self.told.remove(0)) {
                return found;
            }
        }
    }

    async fn message(&mut self) -> ChatMessage {
        self.find(|item| match item {
            ChatDown::All(ChatEvent::Message(message)) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    async fn event(&mut self) -> SocketEvent {
        self.find(|item| match item {
            ChatDown::Socket { event, .. } => Some(event.clone()),
            _ => None,
        })
        .await
    }

    async fn snapshot(&mut self) -> Vec<ChatMessage> {
        self.find(|item| match item {
            ChatDown::Snapshot(piece) if piece.state.is_some() => Some(piece.messages.clone()),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn viewers_of_two_relays_chat_in_one_order() {
    let origin = Origin::start();
    let links = [origin.join("paris").await, origin.join("tokyo").await];
    let mut ears = [Ear::new(&links[0]), Ear::new(&links[1])];
    for (index, viewer) in ["v1", "v2"].into_iter().enumerate() {
        carry(&links[index], coming(viewer, None)).await;
        assert_eq!(ears[index].snapshot().await, []);
        assert!(matches!(ears[index].event().await, SocketEvent::Entered { .. }));
    }
    carry(&links[0], vec![saying("one", "a")]).await;
    let first = ears[1].message().await;
    carry(&links[1], vec![saying("two", "b"), saying("three", "c")]).await;
    let rest = [ears[1].message().await, ears[1].message().await];
    assert_eq!(ears[0].message().await, first);
    assert_eq!([ears[0].message().await, ears[0].message().await], rest);
    assert!(first.id < rest[0].id && rest[0].id < rest[1].id);
}

#[tokio::test]
async fn a_relay_that_was_cut_off_comes_back_and_misses_nothing() {
    let origin = Origin::start();
    let other = origin.join("other").await;
    let mut other_ear = Ear::new(&other);
    carry(&other, coming("v2", None)).await;
    other_ear.event().await;
    let connector = origin.enrol("r1").await;
    let before = greet(&connector).await.unwrap();
    carry(&before, coming("v1", None)).await;
    carry(&before, vec![saying("one", "a")]).await;
    let one = Ear::new(&before).message().await;
    // What was said is answered nowhere: the link breaks.
    carry(&before, vec![saying("two", "b")]).await;
    let two = {
        other_ear.message().await;
        other_ear.message().await
    };
    before.close(CloseCode::Done, "cut");
    carry(&other, vec![saying("three", "c")]).await;
    let three = other_ear.message().await;
    let after = greet(&connector).await.unwrap();
    let mut ear = Ear::new(&after);
    carry(&after, coming("v1", Some(one.id))).await;
    assert_eq!(ear.snapshot().await, [two.clone(), three]);
    assert!(matches!(ear.event().await, SocketEvent::Entered { .. }));
    carry(&after, vec![saying("two", "b")]).await;
    assert_eq!(ear.event().await, SocketEvent::Again(two));
}

#[tokio::test]
async fn a_relay_that_floods_with_chat_is_ended_and_others_chat_on() {
    let origin = Origin::start();
    let (flood, calm) = (origin.join("flood").await, origin.join("calm").await);
    carry(&calm, coming("v1", None)).await;
    loop {
        let items = vec![ChatUp::Unfollow { room: cinema() }; 10_000];
        if flood.write_frame(&DownstreamFrame::Chat { items }).await.is_err() {
            break;
        }
    }
    assert_eq!(closed(&flood).await.code, Some(CloseCode::Limit));
    carry(&calm, vec![saying("calm", "a")]).await;
    assert_eq!(Ear::new(&calm).message().await.text, "calm");
}

#[tokio::test]
async fn many_frames_with_little_chat_do_not_count_as_a_flood() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    for _ in 0..3000 {
        carry(&link, vec![ChatUp::Unfollow { room: cinema() }]).await;
    }
    carry(&link, coming("v1", None)).await;
    assert!(matches!(Ear::new(&link).event().await, SocketEvent::Entered { .. }));
}

#[tokio::test]
async fn a_relay_that_reads_nothing_is_asked_to_come_back() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    carry(
        &link,
        vec![ChatUp::Follow {
            room: cinema(),
            after: None,
        }],
    )
    .await;
    Ear::new(&link).snapshot().await;
    // More than QUIC's windows and the queue together take.
    let name = "n".repeat(100_000);
    let mut settings = Settings::default();
    for number in 0..2000 {
        settings.name = format!("{number}{name}");
        origin.house.chats.settings_changed(&cinema(), settings.clone());
    }
    let closed = closed(&link).await;
    assert_eq!(closed.code, Some(CloseCode::Unavailable));
    assert!(closed.reason.contains("too slow") && closed.may_return(), "{closed}");
}
