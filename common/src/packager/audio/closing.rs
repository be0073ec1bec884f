//! The end of a sound's segments where video ends: all that is held goes out, and what is missing is made up for.

use super::{AudioCut, AudioCutter, MAX_HELD, Pace};

impl AudioCutter {
    /// Closes the segment, and all those that video has closed before it, with what is held; `until_ms` is where video ends.
    pub(in crate::packager) fn close(&mut self, until_ms: Option<i64>) -> Vec<AudioCut> {
        if let Some(floor) = self.floor {
            self.begin(floor, floor);
        }
        let behind = |until: &u64| self.next + self.allowed_drift().unsigned_abs() < *until;
        let until = until_ms.map(|ms| self.ticks(ms)).filter(behind);
        let newest_boundary = match &self.pace {
            Pace::Follow(boundaries) => boundaries.back().copied(),
            Pace::Alone(_) => None,
        };
        while until.max(newest_boundary).is_some_and(|until| self.next < until) && self.held.len() < MAX_HELD {
            self.fill(1);
        }
        let mut cuts = Vec::new();
        loop {
            if self.parts_in_segment > 0 && self.reaches_boundary(self.end()) {
                self.end_segment();
                cuts.push(AudioCut::SegmentEnd);
                continue;
            }
            if self.held.is_empty() {
                if !self.has_boundary() && self.parts_in_segment > 0 {
                    break;
                }
                // No segment without a part.
                self.fill(1);
            }
            let room = match self.parts_in_segment {
                0 => self.frames_in_part,
                _ if self.is_full() => 0,
                _ => self.room_in_segment(),
            };
            if room == 0 {
                if !self.has_boundary() {
                    self.leave_out_held();
                    break;
                }
                // Video has gone on: so does audio.
                self.end_segment();
                cuts.push(AudioCut::SegmentEnd);
                continue;
            }
            let count = self.fitting(self.frames_in_part.min(self.held.len()).min(room));
            let end = self.end() + self.frame * count as u64;
            let final_segment = !self.has_boundary();
            let last = if final_segment {
                count == self.held.len()
            } else {
                self.reaches_boundary(end)
            };
            cuts.push(AudioCut::Part(self.take(count, last)));
            if last && final_segment {
                return cuts;
            }
        }
        self.end_segment();
        cuts.push(AudioCut::SegmentEnd);
        cuts
    }

    /// Frames for which the open segment still has room.
    fn room_in_segment(&self) -> usize {
        let room = (self.segment_start + self.segment_limit).saturating_sub(self.end()) / self.frame;
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    fn leave_out_held(&mut self) {
        let made_up = self.held.iter().filter(|held| held.made_up).count() as u64;
        self.counts.excess += self.held.len() as u64 - made_up;
        self.counts.silent -= made_up;
        self.next -= self.frame * self.held.len() as u64;
        self.held.clear();
    }
}
