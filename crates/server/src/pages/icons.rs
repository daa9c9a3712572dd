//! The icons of the pages, drawn for them. Each has the size and the colour of the text around it.

use maud::{Markup, html};

/// An icon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Icon {
    /// An arrow to the left.
    Back,
    /// A cross.
    Close,
    /// A check mark.
    Check,
    /// Two links of a chain.
    Link,
    /// An exclamation mark.
    Alert,
    /// A padlock.
    Lock,
    /// A magnifying glass.
    Search,
    /// An arrow to the right.
    Next,
    /// An arrow that leaves a window.
    Outside,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Back => "M15 5l-7 7 7 7",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Link => {
                "M10 14a4 4 0 0 0 5.66 0l3.17-3.17a4 4 0 0 0-5.66-5.66L12 6.34M14 10a4 4 0 0 0-5.66 \
                 0l-3.17 3.17a4 4 0 0 0 5.66 5.66L12 17.66"
            }
            Self::Alert => "M12 7v6M12 16.5v.5",
            Self::Lock => "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v8H6z",
            Self::Search => "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5L20 20",
            Self::Next => "M9 6l6 6-6 6",
            Self::Outside => "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
        }
    }
}

/// Renders an icon, which screen readers skip.
pub(super) fn icon(icon: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
            path d=(icon.path()) fill="none" stroke="currentColor" stroke-width="2"
                stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}
