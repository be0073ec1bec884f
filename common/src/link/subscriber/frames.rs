//! What upstream's frames do to the rooms that are followed.

use std::sync::Arc;

use super::{Link, Output, Subscriber, gap::Gaps, mirrored::Mirrored};
use crate::{
    id::RoomSlug,
    live::{
        EpochDescription, LiveEvent,
        window::{LiveWindow, WindowError, WindowRecords},
    },
    time::Monotonic,
    wire::control::{DownstreamFrame, UpstreamFrame},
};

impl Subscriber {
    pub(super) fn frame(&mut self, now: Monotonic, frame: UpstreamFrame) {
        match frame {
            UpstreamFrame::Welcome { .. } => self.welcomed(),
            UpstreamFrame::RoomGone { room } => {
                self.end_media(&room);
                if self.rooms.remove(&room).is_some() {
                    self.outputs.push_back(Output::Forget { room });
                }
            }
            UpstreamFrame::Window {
                room,
                description,
                records,
            } => {
                if let Err(error) = self.window(now, &room, description, records) {
                    self.resync(now, &room);
                    self.outputs.push_back(Output::BadWindow { room, error });
                }
            }
            UpstreamFrame::Offline { room } => self.offline(now, &room),
            UpstreamFrame::Init {
                room,
                epoch,
                rendition,
                init_id,
                body,
            } => {
                self.with_media(now, &room, epoch, |media, out| {
                    media.take_init(rendition, init_id, body, out)
                });
            }
            UpstreamFrame::SegmentEnd {
                room,
                epoch,
                rendition,
                msn,
                parts,
            } => {
                self.with_media(now, &room, epoch, |media, _| {
                    media.take_segment_end(rendition, msn, parts, now)
                });
            }
            UpstreamFrame::Skipped {
                room,
                epoch,
                id,
                outline,
            } => {
                self.with_media(now, &room, epoch, |media, _| media.take_skipped(id, outline, now));
            }
            UpstreamFrame::BitRate {
                room,
                epoch,
                rendition,
                bit_rate,
            } => {
                let event = LiveEvent::BitRate { rendition, bit_rate };
                self.with_media(now, &room, epoch, |media, out| media.take_event(event, out));
            }
            UpstreamFrame::End { room, epoch } => self.with_media(now, &room, epoch, |media, _| media.take_end(now)),
            UpstreamFrame::GoAway { reason } => {
                self.was_sent_away = true;
                self.outputs.push_back(Output::Close { reason });
            }
            UpstreamFrame::Keys { .. }
            | UpstreamFrame::Revoke { .. }
            | UpstreamFrame::PublicUrls { .. }
            | UpstreamFrame::Room { .. }
            | UpstreamFrame::Chat { .. }
            | UpstreamFrame::Pong { .. } => {}
        }
    }

    fn welcomed(&mut self) {
        if self.link != Link::Greeting {
            return;
        }
        self.link = Link::Up;
        self.backoff.reset();
        for (slug, room) in &mut self.rooms {
            room.resync_at = None;
            let resume = room.media.as_ref().and_then(Mirrored::resume_point);
            self.outputs.push_back(Output::Frame(DownstreamFrame::Subscribe {
                room: slug.clone(),
                resume,
            }));
        }
    }

    fn window(
        &mut self,
        now: Monotonic,
        slug: &RoomSlug,
        description: EpochDescription,
        mut records: WindowRecords,
    ) -> Result<(), WindowError> {
        let Some(room) = self.rooms.get_mut(slug) else {
            return Ok(());
        };
        room.offline_at = None;
        let epoch = description.epoch;
        let (mut held, mut gaps) = (Vec::new(), room.old_gaps.take().filter(|gaps| gaps.epoch() == epoch));
        match room.media.take() {
            Some(same) if same.epoch() == epoch => {
                let (parts, listed) = same.into_held_and_gaps();
                (held, gaps) = (parts, Some(listed));
            }
            Some(mut old) => old.abandon(&mut self.outputs),
            None => {}
        }
        let gaps = gaps.unwrap_or_else(|| Gaps::new(epoch));
        gaps.mark(&mut records);
        let window = LiveWindow::from_records(Arc::new(description), records, self.config.retention, now)?;
        let mut media = Mirrored::new(slug.clone(), &window, gaps);
        self.outputs.push_back(Output::PutWindow {
            room: slug.clone(),
            window: Box::new(window),
        });
        for part in held {
            media.take_part(part, now, &mut self.outputs);
        }
        for (header, body) in self.orphans.claim(slug, epoch) {
            media.take_pushed(&header, body, now, &mut self.outputs);
        }
        room.media = Some(media);
        self.advance(now, slug);
        Ok(())
    }
}
