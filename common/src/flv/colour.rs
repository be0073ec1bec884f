//! `colorInfo`: what the publisher says of colours and light beside the coded stream (Enhanced RTMP v2, "Metadata Frame").

use crate::{
    media::{
        access_unit::{ColourInfo, LightLevel, MasteringDisplay},
        colour::specified,
    },
    rtmp::amf0::{self, Value},
};

/// Most light that transfer functions know, candela per square metre.
const MAX_LUMINANCE: f64 = 10_000.0;

/// Reads the body of a metadata packet; `None` when there are no colours in it.
pub(super) fn parse(body: &[u8]) -> Option<ColourInfo> {
    let values = amf0::decode(body).ok()?;
    let [name, info @ Value::Object(_), ..] = &values[..] else {
        return None;
    };
    if name.as_str() != Some("colorInfo") {
        return None;
    }
    let code = |name| {
        let number = info.property("colorConfig")?.property(name)?.as_number()?;
        // A whole number of one byte.
        let code = number as u8;
        specified(code).filter(|&code| f64::from(code) == number)
    };
    Some(ColourInfo {
        primaries: code("colorPrimaries"),
        transfer: code("transferCharacteristics"),
        matrix: code("matrixCoefficients"),
        full_range: None,
        light_level: info.property("hdrCll").and_then(light_level),
        mastering: info.property("hdrMdcv").and_then(mastering),
    })
}

fn luminance(object: &Value, name: &str) -> Option<f64> {
    let number = object.property(name)?.as_number()?;
    (0.0..=MAX_LUMINANCE).contains(&number).then_some(number)
}

fn light_level(levels: &Value) -> Option<LightLevel> {
    // At most 10,000.
    Some(LightLevel {
        max_content: luminance(levels, "maxCLL")?.round() as u16,
        max_frame_average: luminance(levels, "maxFall")?.round() as u16,
    })
}

fn mastering(display: &Value) -> Option<MasteringDisplay> {
    let coordinate = |name| {
        let number = display.property(name)?.as_number()?;
        (0.0..=1.0).contains(&number).then_some(number)
    };
    Some(MasteringDisplay {
        red: (coordinate("redX")?, coordinate("redY")?),
        green: (coordinate("greenX")?, coordinate("greenY")?),
        blue: (coordinate("blueX")?, coordinate("blueY")?),
        white: (coordinate("whitePointX")?, coordinate("whitePointY")?),
        max_luminance: luminance(display, "maxLuminance")?,
        min_luminance: luminance(display, "minLuminance")?,
    })
}
