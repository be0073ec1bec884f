//! One epoch of one channel on its way into the relay's window: routes what arrives to its rendition, and ends the epoch when all of
//! it is there.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::{
    Output,
    gap::Gaps,
    reorder::{Reorder, Step, Stuck},
};
use crate::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId},
    live::{LiveEvent, Part, window::LiveWindow},
    time::Monotonic,
    wire::{control::ResumePoint, media::PartHeader, media::PartOutline},
};

#[derive(Debug)]
pub(super) struct Mirrored {
    channel: ChannelId,
    epoch: Epoch,
    renditions: Vec<Reorder>,
    gap_after: Duration,
    /// `End` came; it is applied when all before it is.
    end_since: Option<Monotonic>,
    has_ended: bool,
    gaps: Gaps,
}

impl Mirrored {
    /// Goes on where `window` ends. `gaps` are those of an earlier window of the same epoch.
    pub(super) fn new(channel: ChannelId, window: &LiveWindow, gaps: Gaps) -> Self {
        let description = window.description();
        Self {
            channel,
            epoch: window.epoch(),
            renditions: description
                .rendition_ids()
                .map(|id| Reorder::new(id, description, window))
                .collect(),
            gap_after: Duration::from_secs(3 * u64::from(description.target_duration_s)),
            end_since: None,
            has_ended: false,
            gaps,
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Where a new link has to go on; `None` when nothing can follow.
    pub(super) fn resume_point(&self) -> Option<ResumePoint> {
        let next = self.renditions.iter().map(Reorder::next).collect();
        (!self.has_ended).then_some(ResumePoint {
            epoch: self.epoch,
            next,
        })
    }

    /// Whether upstream has not said that the epoch is over.
    pub(super) fn may_go_on(&self) -> bool {
        !self.has_ended && self.end_since.is_none()
    }

    /// Whether upstream said that it is over, and what came before that is not all here.
    pub(super) fn is_ending(&self) -> bool {
        !self.has_ended && self.end_since.is_some()
    }

    /// How long a viewer's request may be held here: three target durations.
    pub(super) fn longest_hold(&self) -> Duration {
        self.gap_after
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.renditions.iter().map(Reorder::held_bytes).sum()
    }

    pub(super) fn take_init(
        &mut self,
        rendition: RenditionId,
        init_id: u32,
        body: Bytes,
        outputs: &mut VecDeque<Output>,
    ) {
        if self
            .rendition(rendition)
            .is_some_and(|reorder| reorder.take_init(init_id))
        {
            outputs.push_back(self.apply(LiveEvent::Init {
                rendition,
                init_id,
                body,
            }));
        }
    }

    /// Takes a part from its own stream.
    pub(super) fn take_pushed(
        &mut self,
        header: &PartHeader,
        body: Bytes,
        now: Monotonic,
        outputs: &mut VecDeque<Output>,
    ) {
        let part = Part {
            id: header.id,
            init_id: header.init_id,
            dts: header.dts,
            duration: header.duration,
            program_date_time: header.program_date_time,
            flags: header.flags,
            body,
        };
        self.take_part(part, now, outputs);
    }

    pub(super) fn take_fetched(
        &mut self,
        id: PartId,
        fetched: (PartOutline, Bytes),
        now: Monotonic,
        outputs: &mut VecDeque<Output>,
    ) {
        let (outline, body) = fetched;
        if outline.record.size as usize == body.len() {
            self.take_part(fetched_part(id, outline, body), now, outputs);
        } else {
            self.fetch_failed(id, false, now);
        }
    }

    /// Takes a part that waited for this epoch's window, or for another window of the same epoch.
    pub(super) fn take_part(&mut self, part: Part, now: Monotonic, outputs: &mut VecDeque<Output>) {
        let past = self
            .rendition(part.id.rendition)
            .and_then(|reorder| reorder.take_part(part, now));
        if let Some(Part { id, body, .. }) = past.filter(|part| !part.flags.gap) {
            outputs.push_back(Output::Fill {
                channel: self.channel.clone(),
                epoch: self.epoch,
                id,
                body,
            });
        }
    }

    pub(super) fn fetch_failed(&mut self, id: PartId, is_gone: bool, now: Monotonic) {
        if let Some(reorder) = self.rendition(id.rendition) {
            reorder.fetch_failed(id.msn, id.part, is_gone, now);
        }
    }

    pub(super) fn take_segment_end(&mut self, rendition: RenditionId, msn: Msn, parts: u32, now: Monotonic) {
        if let Some(reorder) = self.rendition(rendition) {
            reorder.take_segment_end(msn, parts, now);
        }
    }

    pub(super) fn take_skipped(&mut self, id: PartId, outline: PartOutline, now: Monotonic) {
        if let Some(reorder) = self.rendition(id.rendition) {
            reorder.take_skipped((id.msn, id.part), outline, now);
        }
    }

    pub(super) fn take_event(&mut self, event: LiveEvent, outputs: &mut VecDeque<Output>) {
        if !self.has_ended {
            outputs.push_back(self.apply(event));
        }
    }

    pub(super) fn take_end(&mut self, now: Monotonic) {
        self.end_since.get_or_insert(now);
    }

    /// The link is gone: what was on its way is sent again on the next one.
    pub(super) fn forget_pending(&mut self) {
        self.end_since = None;
        for reorder in &mut self.renditions {
            reorder.forget_pending();
        }
    }

    /// Ends the epoch as it stands.
    pub(super) fn abandon(&mut self, outputs: &mut VecDeque<Output>) {
        if self.has_ended {
            return;
        }
        let ends: Vec<LiveEvent> = self.renditions.iter_mut().filter_map(Reorder::close_open).collect();
        for event in ends.into_iter().chain([LiveEvent::End]) {
            outputs.push_back(self.apply(event));
        }
        self.has_ended = true;
    }

    /// Early parts, and the gaps that were listed, for another window of the same epoch.
    pub(super) fn into_held_and_gaps(self) -> (Vec<Part>, Gaps) {
        (
            self.renditions.into_iter().flat_map(Reorder::into_held).collect(),
            self.gaps,
        )
    }

    /// Lets out all that may go.
    ///
    /// # Errors
    /// [`Stuck`]: only a new window helps.
    pub(super) fn advance(&mut self, now: Monotonic, outputs: &mut VecDeque<Output>) -> Result<(), Stuck> {
        if self.has_ended {
            return Ok(());
        }
        let mut steps = Vec::new();
        let mut result = Ok(());
        for reorder in &mut self.renditions {
            result = result.and(reorder.advance(now, &mut steps));
        }
        for step in steps {
            if let Step::Apply(LiveEvent::Part(part)) = &step
                && part.flags.gap
            {
                self.gaps.insert(part.id);
            }
            outputs.push_back(match step {
                Step::Apply(event) => self.apply(event),
                Step::Fetch(id) => Output::Fetch {
                    channel: self.channel.clone(),
                    epoch: self.epoch,
                    id,
                },
            });
        }
        if let Some(since) = self.end_since
            && (self.renditions.iter().all(Reorder::is_settled) || since + self.gap_after * 2 <= now)
        {
            self.abandon(outputs);
        }
        result
    }

    /// When [`Mirrored::advance`] has something to do even if nothing comes.
    pub(super) fn wake_at(&self) -> Option<Monotonic> {
        if self.has_ended {
            return None;
        }
        let end_at = self.end_since.map(|since| since + self.gap_after * 2);
        self.renditions.iter().filter_map(Reorder::wake_at).chain(end_at).min()
    }

    fn rendition(&mut self, id: RenditionId) -> Option<&mut Reorder> {
        let may_change = !self.has_ended;
        self.renditions.get_mut(usize::from(id.0)).filter(|_| may_change)
    }

    fn apply(&self, event: LiveEvent) -> Output {
        Output::Apply {
            channel: self.channel.clone(),
            epoch: self.epoch,
            event,
        }
    }
}

/// Puts together a part that was fetched.
fn fetched_part(id: PartId, outline: PartOutline, body: Bytes) -> Part {
    let record = outline.record;
    Part {
        id,
        init_id: outline.init_id,
        dts: record.dts,
        duration: record.duration,
        program_date_time: record.program_date_time,
        flags: record.flags,
        body,
    }
}
