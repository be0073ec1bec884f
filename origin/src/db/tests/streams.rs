//! What hosts set of a room's stream.

use common::{id::Rung, media::access_unit::AudioTrackLabel};

use super::{
    super::{Database, SlateChoice, StreamChange, StreamRow},
    cases::{NOW, make_room, slug},
};

pub(super) async fn what_is_set_of_a_stream_reads_back(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "other", 2).await;
    let cinema = slug("cinema");
    assert_eq!(db.stream_settings(&cinema).await.unwrap(), Some(StreamRow::default()));
    let labels = vec![
        AudioTrackLabel {
            index: 0,
            name: Some("Français".into()),
            language: Some("fr".into()),
        },
        AudioTrackLabel {
            index: 1,
            ..AudioTrackLabel::default()
        },
    ];
    let change = StreamChange {
        ladder: Some((vec![Rung::P720, Rung::P480], true)),
        audio_tracks: Some(labels.clone()),
        slate: Some(SlateChoice::Card),
    };
    let expected = StreamRow {
        ladder: vec![Rung::P720, Rung::P480],
        audio_only: true,
        audio_tracks: labels,
        slate: SlateChoice::Card,
        has_picture: false,
    };
    assert_eq!(
        db.change_stream(&cinema, &change).await.unwrap(),
        Some(expected.clone())
    );
    let only_slate = StreamChange {
        slate: Some(SlateChoice::Picture),
        ..StreamChange::default()
    };
    let expected = StreamRow {
        slate: SlateChoice::Picture,
        ..expected
    };
    assert_eq!(
        db.change_stream(&cinema, &only_slate).await.unwrap(),
        Some(expected.clone())
    );
    let mut all = db.all_stream_settings().await.unwrap();
    all.sort_by_key(|(room, _)| room.clone());
    assert_eq!(all, [(cinema, expected), (slug("other"), StreamRow::default())]);
    assert_eq!(db.change_stream(&slug("none"), &only_slate).await.unwrap(), None);
}

pub(super) async fn a_slates_picture_goes_with_its_room(db: &Database) {
    make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    assert!(!db.put_slate_picture(&slug("none"), b"png").await.unwrap());
    for image in [b"first", b"other"] {
        assert!(db.put_slate_picture(&cinema, image).await.unwrap());
        assert_eq!(db.slate_picture(&cinema).await.unwrap().unwrap(), image);
    }
    assert!(db.stream_settings(&cinema).await.unwrap().unwrap().has_picture);
    assert!(db.delete_slate_picture(&cinema).await.unwrap());
    assert!(!db.delete_slate_picture(&cinema).await.unwrap());
    db.put_slate_picture(&cinema, b"last").await.unwrap();
    db.delete_room(&cinema, NOW).await.unwrap().unwrap();
    assert_eq!(db.slate_picture(&cinema).await.unwrap(), None);
}
