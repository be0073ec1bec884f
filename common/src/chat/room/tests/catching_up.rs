//! A chat that had to open without the database, and has it back.

use super::*;
use crate::{
    chat::record::Doer,
    wire::chat::{EmoteRef, SnapshotPiece},
};

fn past() -> Opening {
    let mut rules = stored(3, "mod");
    rules.text = "rules".to_owned();
    Opening {
        // 10 was said since, and has reached the database.
        history: [stored(1, "old"), stored(2, "old"), rules.clone(), stored(10, "ann")].to_vec(),
        pinned: Some(rules),
        emotes: vec![EmoteRef {
            name: "wave".to_owned(),
            file: "0.png".to_owned(),
        }],
        banned: vec![("bad".to_owned(), Role::Moderator)],
        silenced: vec![("loud".to_owned(), UnixMillis(1_900_000_000_000))],
        ..opening()
    }
}

fn scene() -> Scene {
    let mut scene = Scene::new(Opening {
        next_id: 10,
        ..opening()
    });
    scene.follow(EAST, None);
    scene
}

fn snapshot(scene: &Scene) -> SnapshotPiece {
    let mut pieces = scene.told(EAST).iter().filter_map(|down| match down {
        ChatDown::Snapshot(piece) => Some(piece.clone()),
        _ => None,
    });
    pieces.next_back().expect("a snapshot")
}

fn ids(messages: &[ChatMessage]) -> Vec<i64> {
    messages.iter().map(|message| message.id).collect()
}

#[test]
fn what_was_said_before_stands_before_what_was_said_since() {
    let mut scene = scene();
    let [ann, bad, loud] = ["ann", "bad", "loud"].map(|viewer| scene.enter(EAST, viewer, Role::Viewer));
    scene.act(ann, say("hello", "1"));
    scene.clear();
    scene.call(|room, now| room.catch_up(now, past()));
    let snapshot = snapshot(&scene);
    assert_eq!(ids(&snapshot.messages), [1, 2, 3, 10]);
    assert_eq!(snapshot.messages[3].text, "hello");
    let state = snapshot.state.unwrap();
    assert_eq!(state.pinned.map(|message| message.id), Some(3));
    assert_eq!(state.emotes.len(), 1);
    assert_eq!(scene.kicked(bad), Some(KickReason::Banned));
    assert_eq!(scene.refusal(loud, say("hi", "1")), Some(RefusalCode::TimedOut));
    assert_eq!(scene.refusal(ann, delete(1)), Some(RefusalCode::Forbidden));
    // The rank of who was banned is known again.
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    assert_eq!(scene.refusal(moderator, unban("bad")), Some(RefusalCode::Forbidden));
    assert_eq!(scene.refusal(moderator, delete(1)), None);
}

#[test]
fn what_was_done_meanwhile_stands() {
    let operator = Doer {
        viewer_id: None,
        nickname: "operator".to_owned(),
        role: Role::Host,
    };
    let mut scene = scene();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("hello", "1"));
    for act in [
        delete(2),
        ChatAct::Pin { message_id: Some(10) },
        ChatAct::Pin { message_id: None },
    ] {
        scene.call(|room, now| room.act_as(now, &operator, act)).unwrap();
    }
    scene.call(|room, now| room.catch_up(now, past()));
    let snapshot = snapshot(&scene);
    assert_eq!(ids(&snapshot.messages), [1, 3, 10]);
    assert_eq!(snapshot.deleted, [2]);
    assert_eq!(snapshot.state.unwrap().pinned, None);
}
