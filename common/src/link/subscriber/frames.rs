//! What upstream's frames do to the channels that are followed.

use std::sync::Arc;

use super::{Link, Output, Subscriber, gap::Gaps, mirrored::Mirrored};
use crate::{
    id::{ChannelId, RoomSlug},
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
            UpstreamFrame::RoomGone { room } => self.room_gone(&room),
            UpstreamFrame::Window {
                channel,
                description,
                records,
            } => {
                if let Err(error) = self.window(now, &channel, description, records) {
                    self.resync(now, &channel);
                    self.outputs.push_back(Output::BadWindow { channel, error });
                }
            }
            UpstreamFrame::Offline { channel } => self.offline(now, &channel),
            UpstreamFrame::Starting { channel } => self.starting(channel),
            UpstreamFrame::Init {
                channel,
                epoch,
                rendition,
                init_id,
                body,
            } => {
                self.with_media(now, &channel, epoch, |media, out| {
                    media.take_init(rendition, init_id, body, out)
                });
            }
            UpstreamFrame::SegmentEnd {
                channel,
                epoch,
                rendition,
                msn,
                parts,
            } => {
                self.with_media(now, &channel, epoch, |media, _| {
                    media.take_segment_end(rendition, msn, parts, now)
                });
            }
            UpstreamFrame::Skipped {
                channel,
                epoch,
                id,
                outline,
            } => {
                self.with_media(now, &channel, epoch, |media, _| media.take_skipped(id, outline, now));
            }
            UpstreamFrame::BitRate {
                channel,
                epoch,
                rendition,
                bit_rate,
            } => {
                let event = LiveEvent::BitRate { rendition, bit_rate };
                self.with_media(now, &channel, epoch, |media, out| media.take_event(event, out));
            }
            UpstreamFrame::End { channel, epoch } => {
                self.with_media(now, &channel, epoch, |media, _| media.take_end(now))
            }
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
        for (id, channel) in &mut self.channels {
            channel.resync_at = None;
            let resume = channel.media.as_ref().and_then(Mirrored::resume_point);
            self.outputs.push_back(Output::Frame(DownstreamFrame::Subscribe {
                channel: id.clone(),
                resume,
            }));
        }
    }

    fn room_gone(&mut self, room: &RoomSlug) {
        let its: Vec<ChannelId> = self.channels.keys().filter(|id| id.room == *room).cloned().collect();
        for channel in its {
            self.end_media(&channel);
            self.channels.remove(&channel);
            self.outputs.push_back(Output::Forget { channel });
        }
    }

    /// What is here of the channel will not go on.
    fn starting(&mut self, channel: ChannelId) {
        if self.channels.contains_key(&channel) {
            self.end_media(&channel);
            self.outputs.push_back(Output::Starting { channel });
        }
    }

    fn window(
        &mut self,
        now: Monotonic,
        id: &ChannelId,
        description: EpochDescription,
        mut records: WindowRecords,
    ) -> Result<(), WindowError> {
        let Some(channel) = self.channels.get_mut(id) else {
            return Ok(());
        };
        channel.offline_at = None;
        let epoch = description.epoch;
        let (mut held, mut gaps) = (Vec::new(), channel.old_gaps.take().filter(|gaps| gaps.epoch() == epoch));
        match channel.media.take() {
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
        let mut media = Mirrored::new(id.clone(), &window, gaps);
        self.outputs.push_back(Output::PutWindow {
            channel: id.clone(),
            window: Box::new(window),
        });
        for part in held {
            media.take_part(part, now, &mut self.outputs);
        }
        for (header, body) in self.orphans.claim(id, epoch) {
            media.take_pushed(&header, body, now, &mut self.outputs);
        }
        channel.media = Some(media);
        self.advance(now, id);
        Ok(())
    }
}
