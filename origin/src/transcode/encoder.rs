//! Encoders of H.264 that ffmpeg may have, and what each is told so that it makes a picture at once, key frames only where asked for, and
//! no frame that is shown in another order than it is decoded in.

use std::path::Path;

/// One of ffmpeg's encoders, and the device it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoder {
    Nvenc,
    QuickSync,
    Vaapi,
    VideoToolbox,
    X264,
}

/// The rate of pictures and bits of a rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) width: u16,
    pub(super) height: u16,
    /// Bits a second.
    pub(super) bit_rate: u32,
    /// H.264 `level_idc`: the level times ten, as in a codecs string.
    pub(super) level: Option<u8>,
}

/// The lowest level of the main profile that VideoToolbox can be asked for, as `level_idc`; below it finds the level itself.
const VIDEO_TOOLBOX_LEVEL: u8 = 30;

/// Where Linux has its first graphics device.
const RENDER_DEVICE: &str = "/dev/dri/renderD128";

/// Key frames come where they are asked for, and nowhere else for days.
const NEVER: &str = "1000000";

impl Encoder {
    /// The best first: hardware costs the computer least.
    pub(super) const ALL: [Self; 5] = [
        Self::Nvenc,
        Self::QuickSync,
        Self::Vaapi,
        Self::VideoToolbox,
        Self::X264,
    ];

    /// As ffmpeg calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nvenc => "h264_nvenc",
            Self::QuickSync => "h264_qsv",
            Self::Vaapi => "h264_vaapi",
            Self::VideoToolbox => "h264_videotoolbox",
            Self::X264 => "libx264",
        }
    }

    /// Those of `listed`, which is what `ffmpeg -encoders` says, that may work here.
    pub(super) fn worth_trying(listed: &str) -> Vec<Self> {
        let is_listed = |encoder: &Self| listed.split_whitespace().any(|word| word == encoder.name());
        let has_device = |encoder: &Self| *encoder != Self::Vaapi || Path::new(RENDER_DEVICE).exists();
        Self::ALL.into_iter().filter(is_listed).filter(has_device).collect()
    }

    /// What stands before the input.
    pub(super) fn device(self) -> &'static [&'static str] {
        match self {
            Self::Vaapi => &["-vaapi_device", RENDER_DEVICE],
            _ => &[],
        }
    }

    /// From the source's pictures to the encoder's. The size changes and the shape stays: pixels that are not square make up for it.
    pub(super) fn filters(self, target: &Target) -> String {
        let Target { width, height, .. } = target;
        let format = match self {
            Self::Vaapi => "format=nv12,hwupload",
            Self::QuickSync => "format=nv12",
            Self::Nvenc | Self::VideoToolbox | Self::X264 => "format=yuv420p",
        };
        format!("scale={width}:{height},{format}")
    }

    /// What the encoder is told.
    pub(super) fn arguments(self, target: &Target) -> Vec<String> {
        let own: &[&str] = match self {
            Self::Nvenc => &[
                "-preset",
                "p3",
                "-tune",
                "ll",
                "-rc",
                "cbr",
                "-forced-idr",
                "1",
                "-no-scenecut",
                "1",
                "-delay",
                "0",
            ],
            Self::QuickSync => &["-preset", "veryfast", "-forced_idr", "1", "-async_depth", "1"],
            Self::Vaapi => &["-rc_mode", "CBR", "-async_depth", "1"],
            Self::VideoToolbox => &["-realtime", "1"],
            Self::X264 => &["-preset", "veryfast", "-tune", "zerolatency", "-sc_threshold", "0"],
        };
        let mut arguments: Vec<String> = vec!["-c:v".to_owned(), self.name().to_owned()];
        arguments.extend(own.iter().map(|&argument| argument.to_owned()));
        // Not as `3.1`, which VAAPI and QuickSync take for the number three.
        if let Some(level) = target.level.filter(|&level| self.takes_level(level)) {
            arguments.extend(["-level:v".to_owned(), level.to_string()]);
        }
        // A buffer of half a second: no segment is far above the rate.
        let (rate, buffer) = (target.bit_rate.to_string(), (target.bit_rate / 2).to_string());
        let both = [
            "-profile:v",
            "main",
            "-bf",
            "0",
            "-g",
            NEVER,
            "-b:v",
            &rate,
            "-maxrate",
            &rate,
            "-bufsize",
            &buffer,
        ];
        arguments.extend(both.map(str::to_owned));
        arguments
    }

    fn takes_level(self, level: u8) -> bool {
        self != Self::VideoToolbox || level >= VIDEO_TOOLBOX_LEVEL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = " V....D libx264              libx264 H.264 / AVC\n V....D libx264rgb  RGB\n V....D h264_nvenc  NVIDIA\n V..... h264_v4l2m2m V4L2";

    #[test]
    fn hardware_is_tried_first_and_only_what_is_there() {
        assert_eq!(Encoder::worth_trying(LISTED), [Encoder::Nvenc, Encoder::X264]);
        assert!(Encoder::worth_trying(" V....D libx264rgb  RGB").is_empty());
    }

    #[test]
    fn every_encoder_is_held_to_its_rate_and_makes_no_b_frames() {
        let target = Target {
            width: 640,
            height: 360,
            bit_rate: 800_000,
            level: Some(30),
        };
        for encoder in Encoder::ALL {
            let arguments = encoder.arguments(&target).join(" ");
            for said in [
                "-bf 0",
                "-maxrate 800000",
                "-bufsize 400000",
                "-level:v 30",
                encoder.name(),
            ] {
                assert!(arguments.contains(said), "{said} in {arguments}");
            }
            assert!(encoder.filters(&target).starts_with("scale=640:360,format="));
        }
    }

    #[test]
    fn a_level_is_a_whole_number_and_not_asked_for_where_it_is_unknown() {
        for encoder in Encoder::ALL {
            for (level, is_taken) in [(13, encoder != Encoder::VideoToolbox), (31, true), (40, true)] {
                let target = Target {
                    width: 256,
                    height: 144,
                    bit_rate: 150_000,
                    level: Some(level),
                };
                let arguments = encoder.arguments(&target);
                let asked = arguments.iter().position(|argument| argument == "-level:v");
                let asked = asked.map(|place| arguments[place + 1].clone());
                assert_eq!(asked, is_taken.then(|| level.to_string()), "{}", encoder.name());
            }
        }
    }
}
