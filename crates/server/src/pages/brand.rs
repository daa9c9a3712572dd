//! The brand of a merchant on its pages: a stylesheet with its colour, and its logo.
//!
//! The policy of the pages forbids styles inside of a page, so the colour comes from a stylesheet with
//! the colour in its address. The stylesheet does not use the colour as it is, but shades of it with
//! enough contrast: a yellow button has dark letters on a dark page, and is a brown one on a white
//! page.

use crate::http::app::App;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use engine::settings::Brand;
use maud::{Markup, html};
use model::color::Color;
use std::sync::Arc;

/// The address of the stylesheet, without its query.
const STYLE: &str = "/assets/brand.css";
/// The address of the logo.
const LOGO: &str = "/assets/logo";
/// The policy of the logo. An SVG can contain script, which must not run when a person opens the
/// address of the logo.
const LOGO_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The least contrast of text, by WCAG 2.2 at level AA.
const CONTRAST_MIN: f64 = 4.5;
const BLACK: Color = Color([0, 0, 0]);
const WHITE: Color = Color([255, 255, 255]);
/// The darkest ground of text on a light page.
const LIGHT_GROUND: Color = Color([0xe8, 0xec, 0xf0]);
/// The lightest ground of text on a dark page.
const DARK_GROUND: Color = Color([0x26, 0x2e, 0x3a]);

/// The address of the stylesheet for a colour.
pub(super) fn address(color: Color) -> String {
    format!("{STYLE}?color={}", color.to_string().trim_start_matches('#'))
}

/// Renders the logo of a merchant, or else its name.
pub(super) fn logo_or_name(name: &str, brand: &Brand) -> Markup {
    html! {
        @if brand.logo { img.logo src=(LOGO) alt=(name); } @else { (name) }
    }
}

/// Sends the stylesheet of a colour.
pub(crate) async fn style(RawQuery(query): RawQuery) -> Response {
    let digits = query.as_deref().and_then(|query| query.strip_prefix("color="));
    match digits.and_then(|digits| Color::parse(&format!("#{digits}"))) {
        Some(color) => send("text/css; charset=utf-8", stylesheet(color).into_bytes(), None),
        None => absent(),
    }
}

/// Sends the logo of the server's merchant.
pub(crate) async fn logo(State(app): State<Arc<App>>) -> Response {
    match app.logo() {
        Some(logo) => send(logo.content_type, logo.bytes.clone(), Some(LOGO_POLICY)),
        None => absent(),
    }
}

fn send(content_type: &'static str, bytes: Vec<u8>, policy: Option<&'static str>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let isolation = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(isolation, HeaderValue::from_static("same-origin"));
    if let Some(policy) = policy {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    response
}

fn absent() -> Response {
    let mut response =
        send("text/plain; charset=utf-8", b"There is no such file.\n".to_vec(), None);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The shades of a colour for one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shades {
    /// The ground of buttons, and text on the ground of the page.
    pub(super) accent: Color,
    /// The ground of a button below the pointer.
    pub(super) accent_deep: Color,
    /// Text on both.
    pub(super) on_accent: Color,
}

impl Shades {
    /// The shades for a light page. The colour is darkened until it can be read.
    pub(super) fn light(color: Color) -> Self {
        let accent = first_readable(color, BLACK, &[LIGHT_GROUND]);
        // An almost black button becomes lighter, because it cannot become darker.
        let toward = if luminance(accent) < 0.02 { WHITE } else { BLACK };
        Self { accent, accent_deep: mix(accent, toward, 22), on_accent: WHITE }
    }

    /// The shades for a dark page. The colour is lightened until it can be read.
    pub(super) fn dark(color: Color) -> Self {
        let accent = first_readable(color, WHITE, &[DARK_GROUND]);
        let toward = if luminance(accent) > 0.85 { BLACK } else { WHITE };
        let accent_deep = mix(accent, toward, 22);
        let dark = mix(color, BLACK, 75);
        Self { accent, accent_deep, on_accent: first_readable(dark, BLACK, &[accent, accent_deep]) }
    }

    fn rule(self) -> String {
        let Self { accent, accent_deep, on_accent } = self;
        format!(":root{{--accent:{accent};--accent-deep:{accent_deep};--on-accent:{on_accent}}}")
    }
}

fn stylesheet(color: Color) -> String {
    let (light, dark) = (Shades::light(color).rule(), Shades::dark(color).rule());
    format!("{light}\n@media (prefers-color-scheme:dark){{{dark}}}\n")
}

/// The shade of a colour nearest to it, on the way to another one, that can be read on these grounds.
fn first_readable(color: Color, toward: Color, grounds: &[Color]) -> Color {
    let readable =
        |shade: &Color| grounds.iter().all(|ground| contrast(*shade, *ground) >= CONTRAST_MIN);
    (0..=100).map(|percent| mix(color, toward, percent)).find(readable).unwrap_or(toward)
}

/// Mixes percents of another colour into a colour.
fn mix(color: Color, other: Color, percent: u16) -> Color {
    let mut mixed = color.0;
    for (channel, other) in mixed.iter_mut().zip(other.0) {
        let sum = u16::from(*channel) * (100 - percent) + u16::from(other) * percent;
        *channel = u8::try_from(sum / 100).unwrap_or(u8::MAX);
    }
    Color(mixed)
}

/// The contrast of two colours, from 1 to 21, as WCAG defines it.
pub(super) fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The relative luminance of a colour, from 0 to 1.
fn luminance(color: Color) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = color.0.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast has the values that WCAG gives for known pairs.
    #[test]
    fn contrast_is_that_of_the_standard() {
        for (one, other, hundredths) in [
            ("#000000", "#ffffff", 2_100),
            ("#777777", "#ffffff", 447),
            ("#ff0000", "#ffffff", 399),
        ] {
            let (one, other) = (Color::parse(one).unwrap(), Color::parse(other).unwrap());
            let measured = contrast(one, other) * 100.0;
            assert!((measured - f64::from(hundredths)).abs() < 1.0, "{one} {other}: {measured}");
        }
    }

    /// Every colour becomes shades that can be read in both themes, with a visible change below the
    /// pointer.
    #[test]
    fn every_colour_can_be_read() {
        let steps = || (0..=255_u8).step_by(17);
        for red in steps() {
            for (green, blue) in steps().flat_map(|green| steps().map(move |blue| (green, blue))) {
                let color = Color([red, green, blue]);
                for (shades, ground) in
                    [(Shades::light(color), LIGHT_GROUND), (Shades::dark(color), DARK_GROUND)]
                {
                    let Shades { accent, accent_deep, on_accent } = shades;
                    for (text, below) in
                        [(accent, ground), (on_accent, accent), (on_accent, accent_deep)]
                    {
                        assert!(contrast(text, below) >= CONTRAST_MIN, "{color}: {shades:?}");
                    }
                    assert_ne!(accent, accent_deep, "{color}");
                }
            }
        }
    }

    /// A colour that can be read stays as it is.
    #[test]
    fn a_readable_colour_stays() {
        let (dark, light) = (Color([0x1f, 0x3d, 0xb0]), Color([0xa9, 0xbd, 0xff]));
        assert_eq!(Shades::light(dark).accent, dark);
        assert_eq!(Shades::dark(light).accent, light);
    }

    /// The grounds of the pages are no harder to read on than those that the shades are computed
    /// for.
    #[test]
    fn grounds_are_those_of_the_pages() {
        let style = include_str!("assets/tokens.css");
        let mut seen = 0;
        for line in style.lines().map(str::trim) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let value = Color::parse(value.trim_end_matches(';'));
            let Some(ground) = value.filter(|_| ["--paper", "--ground", "--hover"].contains(&name))
            else {
                continue;
            };
            seen += 1;
            let light = luminance(ground);
            let fits = if light > 0.5 {
                light >= luminance(LIGHT_GROUND)
            } else {
                light <= luminance(DARK_GROUND)
            };
            assert!(fits, "{line}");
        }
        assert!(seen >= 4, "the style has grounds in both themes");
    }
}
